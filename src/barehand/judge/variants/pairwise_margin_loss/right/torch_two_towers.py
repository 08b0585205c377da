# right: two towers, users and items looked up in embedding tables by number
import torch
import torch.nn as nn
import torch.nn.functional as F


class TwoTowerMarginLoss(nn.Module):
    def __init__(self, n_users, n_items, dim, margin=1.0):
        super().__init__()
        self.user_emb = nn.Embedding(n_users, dim)
        self.item_emb = nn.Embedding(n_items, dim)
        self.margin = margin

    def distance(self, u, i):
        diff = u - i
        scale = diff.abs().amax(dim=1, keepdim=True).detach()
        scale = scale.masked_fill(scale == 0, 1.0)
        return (diff / scale).norm(dim=1) * scale[:, 0]

    def forward(self, users, pos_items, neg_items):
        u = self.user_emb(users)
        d_pos = self.distance(u, self.item_emb(pos_items))
        d_neg = self.distance(u, self.item_emb(neg_items))
        return F.relu(d_pos - d_neg + self.margin).mean()
