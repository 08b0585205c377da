# right: logsigmoid does it all, the reduction can be chosen
import torch
import torch.nn.functional as F


def bpr_loss(positive_scores, negative_scores, reduction="mean"):
    if negative_scores.dim() > positive_scores.dim():
        positive_scores = positive_scores.unsqueeze(-1)
    loss = -F.logsigmoid(positive_scores - negative_scores)
    if reduction == "none":
        return loss
    return loss.sum() if reduction == "sum" else loss.mean()
