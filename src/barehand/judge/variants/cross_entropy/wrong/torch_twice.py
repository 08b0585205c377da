# mistake: softmax twice
import torch
import torch.nn as nn
import torch.nn.functional as F


class CrossEntropy(nn.Module):
    def forward(self, outputs, targets):
        probs = F.softmax(outputs, dim=1)
        return F.nll_loss(F.log_softmax(probs, dim=1), targets)
