# mistake: the larger of AUC and 1 - AUC
import torch


def roc_auc(y_true, y_score):
    pos = y_score[y_true == 1]
    neg = y_score[y_true == 0]
    diff = pos[:, None] - neg[None, :]
    value = ((diff > 0).double() + 0.5 * (diff == 0).double()).mean()
    return max(value, 1 - value)
