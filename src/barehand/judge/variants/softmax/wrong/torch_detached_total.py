# mistake: the denominator detached from the gradient
import torch
from torch import nn


class MySoftmax(nn.Module):
    def forward(self, x):
        e = torch.exp(x - x.max(dim=-1, keepdim=True)[0])
        with torch.no_grad():
            total = e.sum(dim=-1, keepdim=True)
        return e / total
