# right: classes on axis 1 whatever comes after, rows to ignore, weights and smoothing
import torch
from torch import nn


class CrossEntropyLoss(nn.Module):
    def __init__(self, weight=None, ignore_index=-100, label_smoothing=0.0):
        super().__init__()
        self.weight = weight
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, logits, target):
        logits = logits.movedim(1, -1)
        classes = logits.shape[-1]
        shifted = logits - logits.detach().amax(dim=-1, keepdim=True)
        log_p = shifted - shifted.exp().sum(dim=-1, keepdim=True).log()
        keep = target != self.ignore_index
        log_p, target = log_p[keep], target[keep]
        w = torch.ones(classes, dtype=logits.dtype) if self.weight is None else self.weight
        hard = -log_p.gather(1, target[:, None])[:, 0] * w[target]
        losses = hard
        if self.label_smoothing > 0:
            soft = -(log_p * w).sum(dim=1) / classes
            losses = (1 - self.label_smoothing) * hard + self.label_smoothing * soft
        total = w[target].sum()
        return losses.sum() / torch.where(total > 0, total, torch.ones_like(total))
