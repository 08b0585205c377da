# right: the mask says which keys are padding, True = masked; names of its own, weights returned too
import torch
from torch import nn


class MultiheadAttn(nn.Module):
    def __init__(self, dim, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.to_q = nn.Linear(dim, dim)
        self.to_k = nn.Linear(dim, dim)
        self.to_v = nn.Linear(dim, dim)
        self.to_out = nn.Linear(dim, dim)

    def forward(self, x, context, key_padding_mask=None):
        b, n, d = x.shape
        if key_padding_mask is not None:
            context = context.masked_fill(key_padding_mask[:, :, None], 0.0)
        q = self.to_q(x).unflatten(-1, (self.n_heads, -1))
        k = self.to_k(context).unflatten(-1, (self.n_heads, -1))
        v = self.to_v(context).unflatten(-1, (self.n_heads, -1))
        logits = torch.einsum("bihd,bjhd->bhij", q, k) / q.shape[-1] ** 0.5
        if key_padding_mask is not None:
            hidden = key_padding_mask[:, None, None, :]
            attn = logits.masked_fill(hidden, torch.finfo(logits.dtype).min).softmax(-1).masked_fill(hidden, 0.0)
        else:
            attn = logits.softmax(-1)
        out = torch.einsum("bhij,bjhd->bihd", attn, v).flatten(2)
        return self.to_out(out), attn
