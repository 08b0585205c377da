# right: tensors with their gradients, their moments and the settings handed in; an epsilon of its own
import torch


def adam(params, states, hyperparams):
    beta1, beta2, eps = 0.9, 0.999, 1e-6
    t = hyperparams["t"]
    with torch.no_grad():
        for p, (mean, square) in zip(params, states):
            mean.mul_(beta1).add_(p.grad, alpha=1 - beta1)
            square.mul_(beta2).addcmul_(p.grad, p.grad, value=1 - beta2)
            root = (square / (1 - beta2**t)).sqrt()
            p -= hyperparams["lr"] * (mean / (1 - beta1**t)) / (root + eps)
            p.grad.zero_()
    hyperparams["t"] = t + 1
