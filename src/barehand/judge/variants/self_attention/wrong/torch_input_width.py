# mistake: the root of the input's width
import torch
from torch import nn


class SelfAttention(nn.Module):
    def __init__(self, d_in, d_k, d_v):
        super().__init__()
        self.d_in = d_in
        self.W_q = nn.Linear(d_in, d_k, bias=False)
        self.W_k = nn.Linear(d_in, d_k, bias=False)
        self.W_v = nn.Linear(d_in, d_v, bias=False)

    def forward(self, x):
        scores = self.W_q(x) @ self.W_k(x).transpose(-2, -1) / self.d_in**0.5
        return scores.softmax(dim=-1) @ self.W_v(x)
