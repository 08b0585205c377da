# right: gamma fixed at 2, and alpha on both classes alike
import torch
import torch.nn.functional as F


def sigmoid_focal_loss(logits, targets, alpha=0.25):
    signed = torch.where(targets > 0.5, logits, -logits)
    missed = torch.sigmoid(-signed)
    return (alpha * missed.square() * -F.logsigmoid(signed)).mean()
