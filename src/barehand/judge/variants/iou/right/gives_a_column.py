# right: the result keeps a last axis of one
import torch
def intersection_over_union(boxes_preds, boxes_labels):
    """boxes: [..., 4] xyxy -> [..., 1]"""
    p1, p2 = boxes_preds[..., :2], boxes_preds[..., 2:]
    l1, l2 = boxes_labels[..., :2], boxes_labels[..., 2:]
    wh = (torch.min(p2, l2) - torch.max(p1, l1)).clamp(0)
    inter = wh[..., 0:1] * wh[..., 1:2]
    pa = p2 - p1; la = l2 - l1
    return inter / (pa[..., 0:1] * pa[..., 1:2] + la[..., 0:1] * la[..., 1:2] - inter)
