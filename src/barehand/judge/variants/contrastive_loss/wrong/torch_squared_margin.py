# mistake: margin - d² for (margin - d)²
import torch
import torch.nn as nn


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=1.0):
        super().__init__()
        self.margin = margin

    def forward(self, x1, x2, target):
        d2 = (x1 - x2).pow(2).sum(1)
        return (target * d2 + (1 - target) * torch.relu(self.margin - d2)).mean()
