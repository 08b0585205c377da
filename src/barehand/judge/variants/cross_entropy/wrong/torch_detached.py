# mistake: the log-sum-exp detached from the gradient
import torch


def cross_entropy(logits, target):
    m = logits.max(dim=1, keepdim=True).values
    log_z = (m + (logits - m).exp().sum(dim=1, keepdim=True).log()).detach()
    return (log_z - logits).gather(1, target.view(-1, 1)).mean()
