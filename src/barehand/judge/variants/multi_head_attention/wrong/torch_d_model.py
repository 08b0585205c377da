# mistake: the root of the model's width
import math

import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads):
        super().__init__()
        self.d_model = d_model
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, d_model)
        self.v_proj = nn.Linear(d_model, d_model)
        self.out_proj = nn.Linear(d_model, d_model)

    def forward(self, query, key, value):
        B = query.size(0)
        q = self.q_proj(query).view(B, -1, self.num_heads, self.d_model // self.num_heads).transpose(1, 2)
        k = self.k_proj(key).view(B, -1, self.num_heads, self.d_model // self.num_heads).transpose(1, 2)
        v = self.v_proj(value).view(B, -1, self.num_heads, self.d_model // self.num_heads).transpose(1, 2)
        scores = q @ k.transpose(-1, -2) / math.sqrt(self.d_model)
        out = torch.softmax(scores, dim=-1) @ v
        return self.out_proj(out.transpose(1, 2).reshape(B, -1, self.d_model))
