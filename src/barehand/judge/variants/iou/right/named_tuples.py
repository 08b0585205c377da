# right: boxes as named tuples of a corner, a width and a height
from collections import namedtuple

Box = namedtuple("Box", ["x", "y", "width", "height"])


def iou(p: Box, q: Box) -> float:
    across = min(p.x + p.width, q.x + q.width) - max(p.x, q.x)
    down = min(p.y + p.height, q.y + q.height) - max(p.y, q.y)
    shared = max(across, 0) * max(down, 0)
    union = p.width * p.height + q.width * q.height - shared
    return shared / union if union else 0.0
