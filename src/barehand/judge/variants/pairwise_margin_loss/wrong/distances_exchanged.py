# mistake: positive and negative exchanged
import torch
def triplet_loss(pos_dist, neg_dist, margin=1.0):
    return torch.clamp(margin + neg_dist - pos_dist, min=0).mean()
