# right: a row of negatives for each positive
import torch, torch.nn.functional as F
def bpr_loss(pos, negs):
    """pos: (B,), negs: (B, K)"""
    return F.softplus(negs - pos.unsqueeze(1)).mean()
