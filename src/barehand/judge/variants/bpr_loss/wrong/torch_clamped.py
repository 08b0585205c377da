# mistake: the difference clipped
import torch
import torch.nn.functional as F


def bpr_loss(pos_scores, neg_scores):
    diff = torch.clamp(pos_scores - neg_scores, min=-30.0, max=30.0)
    return -F.logsigmoid(diff).mean()
