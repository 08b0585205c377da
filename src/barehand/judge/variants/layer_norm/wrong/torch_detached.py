# mistake: the statistics detached from the gradient
import torch


def layer_norm(x, weight, bias, eps=1e-5):
    centred = x - x.mean(dim=-1, keepdim=True).detach()
    centred = centred - centred.mean(dim=-1, keepdim=True).detach()
    std = torch.sqrt((centred**2).mean(dim=-1, keepdim=True) + eps).detach()
    return centred / std * weight + bias
