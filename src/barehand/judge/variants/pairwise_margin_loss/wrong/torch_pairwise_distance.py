# mistake: an epsilon added to the differences
import torch
import torch.nn.functional as F


def pairwise_margin_loss(anchor, positive, negative, margin=1.0):
    d_pos = F.pairwise_distance(anchor, positive)
    d_neg = F.pairwise_distance(anchor, negative)
    return F.relu(d_pos - d_neg + margin).mean()
