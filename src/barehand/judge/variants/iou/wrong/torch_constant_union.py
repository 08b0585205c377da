# mistake: the union held constant in the gradient
import torch


def box_iou(boxes1, boxes2):
    size1 = torch.relu(boxes1[:, 2:] - boxes1[:, :2])
    size2 = torch.relu(boxes2[:, 2:] - boxes2[:, :2])
    low = torch.maximum(boxes1[:, :2], boxes2[:, :2])
    high = torch.minimum(boxes1[:, 2:], boxes2[:, 2:])
    inter = torch.relu(high - low).prod(dim=1)
    union = (size1.prod(dim=1) + size2.prod(dim=1) - inter).detach()
    return torch.where(union > 0, inter / union.masked_fill(union == 0, 1.0), 0.0 * inter)
