# mistake: the intersection counted twice in the union
import numpy as np


def box_iou(boxes1, boxes2):
    tl = np.maximum(boxes1[:, None, :2], boxes2[None, :, :2])
    br = np.minimum(boxes1[:, None, 2:], boxes2[None, :, 2:])
    inter = np.prod(np.clip(br - tl, 0, None), axis=-1)
    area1 = np.prod(boxes1[:, 2:] - boxes1[:, :2], axis=-1)
    area2 = np.prod(boxes2[:, 2:] - boxes2[:, :2], axis=-1)
    return inter / (area1[:, None] + area2[None, :])
