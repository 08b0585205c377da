# mistake: the negatives detached from the gradient
import torch
import torch.nn.functional as F


def bpr_loss(pos_score, neg_score):
    with torch.no_grad():
        baseline = neg_score.clone()
    return -F.logsigmoid(pos_score - baseline).mean()
