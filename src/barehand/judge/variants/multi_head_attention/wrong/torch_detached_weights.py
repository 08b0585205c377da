# mistake: the attention weights detached from the gradient
import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.d_head = d_model // num_heads
        self.to_q = nn.Linear(d_model, d_model)
        self.to_k = nn.Linear(d_model, d_model)
        self.to_v = nn.Linear(d_model, d_model)
        self.out = nn.Linear(d_model, d_model)
        self.last_weights = None

    def forward(self, query, key, value):
        q = self.to_q(query).unflatten(-1, (self.num_heads, self.d_head)).transpose(1, 2)
        k = self.to_k(key).unflatten(-1, (self.num_heads, self.d_head)).transpose(1, 2)
        v = self.to_v(value).unflatten(-1, (self.num_heads, self.d_head)).transpose(1, 2)
        weights = torch.softmax(q @ k.transpose(-2, -1) / self.d_head**0.5, dim=-1).detach()
        self.last_weights = weights
        return self.out((weights @ v).transpose(1, 2).flatten(2))
