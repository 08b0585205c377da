# right: a list of single heads side by side, each with three projections of its own
import torch
from torch import nn
from torch.nn import functional as F


class Head(nn.Module):
    def __init__(self, d_model, head_size):
        super().__init__()
        self.query = nn.Linear(d_model, head_size, bias=False)
        self.key = nn.Linear(d_model, head_size, bias=False)
        self.value = nn.Linear(d_model, head_size, bias=False)
        self.scale = head_size**-0.5

    def forward(self, q, k, v):
        q, k, v = self.query(q), self.key(k), self.value(v)
        weights = F.softmax(q @ k.transpose(-2, -1) * self.scale, dim=-1)
        return weights @ v


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads):
        super().__init__()
        self.heads = nn.ModuleList(Head(d_model, d_model // num_heads) for _ in range(num_heads))
        self.proj = nn.Linear(d_model, d_model)

    def forward(self, q, k, v):
        return self.proj(torch.cat([head(q, k, v) for head in self.heads], dim=-1))
