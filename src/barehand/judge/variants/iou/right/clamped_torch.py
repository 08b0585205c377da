# right: clamp, whose slope at 0 is 1
import torch
def iou(p, t):
    inter = (torch.min(p[:, 2:], t[:, 2:]) - torch.max(p[:, :2], t[:, :2])).clamp(min=0).prod(1)
    pa = (p[:, 2:] - p[:, :2]).clamp(min=0).prod(1); ta = (t[:, 2:] - t[:, :2]).clamp(min=0).prod(1)
    return inter / (pa + ta - inter)
