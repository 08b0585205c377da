# mistake: p_t from the mean loss
import torch
import torch.nn as nn


class FocalLoss(nn.Module):
    def __init__(self, alpha=0.25, gamma=2):
        super().__init__()
        self.alpha = alpha
        self.gamma = gamma
        self.bce = nn.BCEWithLogitsLoss()

    def forward(self, logits, targets):
        bce = self.bce(logits, targets.to(logits.dtype))
        pt = torch.exp(-bce)
        return self.alpha * (1 - pt) ** self.gamma * bce
