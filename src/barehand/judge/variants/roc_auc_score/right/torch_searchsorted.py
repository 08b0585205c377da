# right: torch, whole counts and a single division
import torch


def roc_auc_score(y_true, y_score):
    pos = y_score[y_true == 1]
    neg = y_score[y_true == 0].sort().values
    lower = torch.searchsorted(neg, pos)
    upper = torch.searchsorted(neg, pos, right=True)
    return (lower + upper).sum().item() / (2 * len(pos) * len(neg))
