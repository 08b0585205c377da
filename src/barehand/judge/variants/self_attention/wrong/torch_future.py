# mistake: the future for the past
import torch
from torch import nn


class CausalSelfAttention(nn.Module):
    def __init__(self, d_model, d_head):
        super().__init__()
        self.w_q = nn.Linear(d_model, d_head, bias=False)
        self.w_k = nn.Linear(d_model, d_head, bias=False)
        self.w_v = nn.Linear(d_model, d_head, bias=False)

    def forward(self, x):
        q, k, v = self.w_q(x), self.w_k(x), self.w_v(x)
        scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
        past = torch.tril(torch.ones(x.shape[1], x.shape[1]), diagonal=-1).bool()
        return torch.softmax(scores.masked_fill(past, float("-inf")), dim=-1) @ v
