# mistake: -10 for what is hidden
import torch
from torch import nn
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads):
        super().__init__()
        self.h = num_heads
        self.q = nn.Linear(d_model, d_model); self.k = nn.Linear(d_model, d_model); self.v = nn.Linear(d_model, d_model); self.o = nn.Linear(d_model, d_model)
    def forward(self, query, key, value, mask=None):
        B, T, D = query.shape; S = key.shape[1]; d = D // self.h
        q = self.q(query).view(B, T, self.h, d).transpose(1, 2)
        k = self.k(key).view(B, S, self.h, d).transpose(1, 2)
        v = self.v(value).view(B, S, self.h, d).transpose(1, 2)
        w = q @ k.transpose(-2, -1) / d ** 0.5
        if mask is not None: w = w.masked_fill(mask == 0, -100.)
        w = torch.softmax(w, dim=-1)
        return self.o((w @ v).transpose(1, 2).reshape(B, T, D))
