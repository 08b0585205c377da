# mistake: the variance detached from the gradient
import torch


def batch_norm(x, gamma, beta, eps=1e-5):
    centred = x - x.mean(dim=0)
    centred = centred - centred.mean(dim=0)
    std = torch.sqrt(centred.data.pow(2).mean(dim=0) + eps)
    return gamma * centred / std + beta
