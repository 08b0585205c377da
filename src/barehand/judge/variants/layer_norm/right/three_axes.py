# right: takes (batch, time, channels) alone
import torch, torch.nn as nn
class LayerNorm(nn.Module):
    def __init__(self, n_embd, eps=1e-5):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n_embd)); self.bias = nn.Parameter(torch.zeros(n_embd)); self.eps = eps
    def forward(self, x):
        B, T, C = x.shape
        mu = x.sum(-1, keepdim=True) / C
        d = x - mu
        v = (d * d).sum(-1, keepdim=True) / C
        return d / torch.sqrt(v + self.eps) * self.weight + self.bias
