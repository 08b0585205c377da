# right: a module for every pair of boxes given by centre, width and height, in double precision inside
import torch
from torch import nn


class BoxIoU(nn.Module):
    """Boxes are (N, 4) and (M, 4): centre x, centre y, width, height."""

    def corners(self, boxes):
        centre, size = boxes.double().split(2, dim=-1)
        return centre - size / 2, centre + size / 2, size.clamp(min=0)

    def forward(self, boxes1, boxes2):
        low1, high1, size1 = self.corners(boxes1[:, None])
        low2, high2, size2 = self.corners(boxes2[None])
        longest = torch.maximum(size1.amax(-1, keepdim=True), size2.amax(-1, keepdim=True)).detach()
        longest = longest.masked_fill(longest == 0, 1.0)
        overlap = torch.relu(torch.minimum(high1, high2) - torch.maximum(low1, low2))
        inter = (overlap / longest).prod(dim=-1)
        union = (size1 / longest).prod(dim=-1) + (size2 / longest).prod(dim=-1) - inter
        return (inter / union.masked_fill(union == 0, 1.0)).to(boxes1.dtype)
