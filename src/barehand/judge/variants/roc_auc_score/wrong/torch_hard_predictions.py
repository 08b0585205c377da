# mistake: predictions for scores
import torch


def binary_auc(y_true, y_score):
    predicted = torch.round(y_score).clamp(0, 1)
    tpr = predicted[y_true == 1].double().mean()
    fpr = predicted[y_true == 0].double().mean()
    return (1 + tpr - fpr) / 2
