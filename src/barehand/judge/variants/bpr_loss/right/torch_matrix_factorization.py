# right: embedding tables inside the module, users and two items by number
import torch
from torch import nn
from torch.nn.functional import logsigmoid


class BPR(nn.Module):
    def __init__(self, num_users, num_items, factors=8):
        super().__init__()
        self.users = nn.Embedding(num_users, factors)
        self.items = nn.Embedding(num_items, factors)

    def score(self, user, item):
        return (self.users(user) * self.items(item)).sum(dim=-1)

    def forward(self, user, pos_item, neg_item):
        return -logsigmoid(self.score(user, pos_item) - self.score(user, neg_item)).mean()
