# right: rows of (x, y, w, h), box by box
import numpy as np


def compute_iou(bboxes1, bboxes2):
    """Both (N, 4), top-left corner, width and height."""
    x1, y1, w1, h1 = np.asarray(bboxes1, dtype=np.float64).T
    x2, y2, w2, h2 = np.asarray(bboxes2, dtype=np.float64).T
    w = np.clip(np.minimum(x1 + w1, x2 + w2) - np.maximum(x1, x2), 0, None)
    h = np.clip(np.minimum(y1 + h1, y2 + h2) - np.maximum(y1, y2), 0, None)
    unit = np.max([w1, h1, w2, h2], axis=0)
    unit = np.where(unit > 0, unit, 1)
    intersection = (w / unit) * (h / unit)
    union = (w1 / unit) * (h1 / unit) + (w2 / unit) * (h2 / unit) - intersection
    return np.where(union == 0, 0, intersection / np.where(union == 0, 1, union))
