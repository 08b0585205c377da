# right: the power taken as an exponential, so that its gradient is finite for every gamma
import torch
import torch.nn.functional as F
from torch import nn


class FocalLoss(nn.Module):
    def __init__(self, alpha=0.25, gamma=2.0, reduction="mean"):
        super().__init__()
        self.alpha = alpha
        self.gamma = gamma
        self.reduction = reduction

    def forward(self, inputs, targets):
        targets = targets.to(inputs.dtype)
        signed = inputs * (2 * targets - 1)
        factor = torch.exp(self.gamma * F.logsigmoid(-signed))
        alpha_t = self.alpha * targets + (1 - self.alpha) * (1 - targets)
        loss = -alpha_t * factor * F.logsigmoid(signed)
        if self.reduction == "mean":
            return loss.mean()
        return loss.sum() if self.reduction == "sum" else loss
