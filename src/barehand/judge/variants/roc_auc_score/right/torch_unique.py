# right: torch, counts of both classes for each distinct score
import torch


def auc(preds: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    values, place = torch.unique(preds + 0.0, sorted=True, return_inverse=True)
    pos = torch.zeros(len(values), dtype=torch.float64).index_add_(0, place, (target == 1).double())
    neg = torch.zeros(len(values), dtype=torch.float64).index_add_(0, place, (target != 1).double())
    below = neg.cumsum(0) - neg
    return (pos * (below + neg / 2)).sum() / (pos.sum() * neg.sum())
