# mistake: the softmax over the queries
import torch
import torch.nn.functional as F
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model=512, n_heads=8):
        super().__init__()
        self.n_heads, self.d_k = n_heads, d_model // n_heads
        self.w_q = nn.Linear(d_model, d_model)
        self.w_k = nn.Linear(d_model, d_model)
        self.w_v = nn.Linear(d_model, d_model)
        self.w_o = nn.Linear(d_model, d_model)

    def forward(self, q, k, v):
        N = q.shape[0]
        q = self.w_q(q).reshape(N, -1, self.n_heads, self.d_k).permute(0, 2, 1, 3)
        k = self.w_k(k).reshape(N, -1, self.n_heads, self.d_k).permute(0, 2, 1, 3)
        v = self.w_v(v).reshape(N, -1, self.n_heads, self.d_k).permute(0, 2, 1, 3)
        attn = F.softmax(q @ k.transpose(2, 3) * self.d_k**-0.5, dim=2)
        return self.w_o((attn @ v).permute(0, 2, 1, 3).reshape(N, -1, self.n_heads * self.d_k))
