# right: log_softmax inside, the label's entry gathered
import torch


def cross_entropy(input, target):
    log_p = torch.log_softmax(input, dim=-1)
    return -log_p.gather(-1, target.unsqueeze(-1)).squeeze(-1).mean()
