# mistake: boxes as objects, and the overlap counted twice in the union
def iou(p, q):
    across = min(p.right, q.right) - max(p.left, q.left)
    down = min(p.bottom, q.bottom) - max(p.top, q.top)
    shared = max(across, 0) * max(down, 0)
    areas = [(b.right - b.left) * (b.bottom - b.top) for b in (p, q)]
    return shared / sum(areas) if sum(areas) else 0.0
