# right: boxes with an area, nothing guarded
import numpy as np
def iou(boxes_a, boxes_b):
    tl = np.maximum(boxes_a[:, :2], boxes_b[:, :2])
    br = np.minimum(boxes_a[:, 2:], boxes_b[:, 2:])
    inter = np.prod(np.clip(br - tl, 0, None), axis=1)
    aa = np.prod(boxes_a[:, 2:] - boxes_a[:, :2], axis=1)
    ab = np.prod(boxes_b[:, 2:] - boxes_b[:, :2], axis=1)
    return inter / (aa + ab - inter)
