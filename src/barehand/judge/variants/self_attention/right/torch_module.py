# right: three Linear layers; mask of ones and zeros, 1 = may attend; rows without any give zeros
import torch
from torch import nn


class SelfAttention(nn.Module):
    def __init__(self, d_in, d_k, d_v):
        super().__init__()
        self.query = nn.Linear(d_in, d_k, bias=False)
        self.key = nn.Linear(d_in, d_k, bias=False)
        self.value = nn.Linear(d_in, d_v, bias=False)
        self.scale = d_k**-0.5

    def forward(self, x, mask=None):
        if mask is None:
            scores = self.query(x) @ self.key(x).transpose(-2, -1) * self.scale
            return torch.softmax(scores, dim=-1) @ self.value(x)
        keep = mask.expand(*x.shape[:-1], x.shape[-2]).bool()
        used = keep.any(dim=-1, keepdim=True) | keep.any(dim=-2).unsqueeze(-1)
        x = torch.where(used, x, torch.zeros_like(x))
        scores = self.query(x) @ self.key(x).transpose(-2, -1) * self.scale
        weights = torch.softmax(scores.masked_fill(~keep, torch.finfo(scores.dtype).min), dim=-1)
        weights = torch.where(keep, weights, torch.zeros_like(weights))
        return weights @ self.value(x)
