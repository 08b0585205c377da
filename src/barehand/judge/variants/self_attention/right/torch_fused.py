# right: one projection cut in three, then an output projection; the mask says True = masked
import torch
from torch import nn


class SingleHeadSelfAttention(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x, attn_mask=None):
        if attn_mask is not None:
            hidden = attn_mask.expand(*x.shape[:-1], x.shape[-2])
            idle = hidden.all(dim=-1) & hidden.all(dim=-2)
            x = x.masked_fill(idle.unsqueeze(-1), 0.0)
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        scores = torch.matmul(q, k.mT) / self.dim**0.5
        if attn_mask is None:
            return self.out(scores.softmax(dim=-1) @ v)
        top = scores.masked_fill(hidden, -torch.inf).detach().amax(dim=-1, keepdim=True)
        top = torch.where(top.isfinite(), top, torch.zeros_like(top))
        e = torch.exp((scores - top).masked_fill(hidden, -torch.inf))
        total = e.sum(dim=-1, keepdim=True)
        weights = e / torch.where(total > 0, total, torch.ones_like(total))
        return self.out(weights @ v)
