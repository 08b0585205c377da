# right: for several classes, the label's logit against the log-sum-exp of all others
import torch
from torch import nn
from torch.nn import functional as F


class MultiClassFocalLoss(nn.Module):
    def __init__(self, gamma=2.0, alpha=None):
        super().__init__()
        self.gamma = gamma
        self.alpha = alpha

    def forward(self, logits, target):
        target = target.long()
        own = logits.gather(1, target[:, None])
        is_own = F.one_hot(target, logits.size(1)).bool()
        ahead = -torch.logsumexp((logits - own).masked_fill(is_own, -torch.inf), dim=1)
        loss = -torch.exp(self.gamma * F.logsigmoid(-ahead)) * F.logsigmoid(ahead)
        if self.alpha is not None:
            loss = self.alpha[target] * loss
        return loss.mean()
