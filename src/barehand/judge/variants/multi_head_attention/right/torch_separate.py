# right: four Linear layers; mask of 1 and 0, 1 = may attend; an empty row gives zeros, padding may hold anything
import math

import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads):
        super().__init__()
        self.h = num_heads
        self.d_k = d_model // num_heads
        self.w_q = nn.Linear(d_model, d_model)
        self.w_k = nn.Linear(d_model, d_model)
        self.w_v = nn.Linear(d_model, d_model)
        self.w_o = nn.Linear(d_model, d_model)

    def split(self, x):
        return x.view(x.size(0), -1, self.h, self.d_k).transpose(1, 2)

    def forward(self, query, key, value, mask=None):
        if mask is not None:
            mask = mask.expand(query.size(0), query.size(1), key.size(1)) != 0
            unused = ~mask.any(dim=1).unsqueeze(-1)
            key = key.masked_fill(unused, 0.0)
            value = value.masked_fill(unused, 0.0)
        q, k, v = self.split(self.w_q(query)), self.split(self.w_k(key)), self.split(self.w_v(value))
        scores = torch.matmul(q, k.transpose(-2, -1)) / math.sqrt(self.d_k)
        if mask is None:
            attn = torch.softmax(scores, dim=-1)
        else:
            keep = mask.unsqueeze(1)
            lowest = torch.finfo(scores.dtype).min
            attn = torch.softmax(scores.masked_fill(~keep, lowest), dim=-1)
            attn = attn.masked_fill(~keep, 0.0)
        out = torch.matmul(attn, v).transpose(1, 2).contiguous().view(query.size(0), -1, self.h * self.d_k)
        return self.w_o(out)
