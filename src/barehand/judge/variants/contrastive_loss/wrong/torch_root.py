# mistake: the gradient through the root
import torch


def contrastive_loss(x1, x2, label, margin=1.0):
    d = torch.sqrt(torch.sum((x1 - x2) ** 2, dim=1))
    pull = label * d**2
    push = (1 - label) * torch.clamp(margin - d, min=0) ** 2
    return torch.mean(pull + push)
