# right: every box with every other; sides in units of the longest of the two boxes, in double precision
import numpy as np


def sides(boxes):
    return np.maximum(boxes[..., 2:] - boxes[..., :2], 0)


def box_iou(boxes1, boxes2):
    boxes1 = np.asarray(boxes1, dtype=np.float64)[:, None]
    boxes2 = np.asarray(boxes2, dtype=np.float64)[None]
    size1, size2 = sides(boxes1), sides(boxes2)
    low = np.maximum(boxes1[..., :2], boxes2[..., :2])
    high = np.minimum(boxes1[..., 2:], boxes2[..., 2:])
    unit = np.maximum(size1.max(axis=-1), size2.max(axis=-1))[..., None]
    unit = np.where(unit == 0, 1, unit)
    with np.errstate(invalid="ignore"):
        inter = (np.maximum(high - low, 0) / unit).prod(axis=-1)
        union = (size1 / unit).prod(axis=-1) + (size2 / unit).prod(axis=-1) - inter
        return np.divide(inter, union, out=np.zeros_like(union), where=union != 0)
