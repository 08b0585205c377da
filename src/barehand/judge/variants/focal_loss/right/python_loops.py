# right: plain Python, one example at a time, a loss for each if asked
import math


def sigmoid(x):
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    e = math.exp(x)
    return e / (1 + e)


def binary_focal_loss(logits, labels, alpha=0.25, gamma=2.0, reduction="mean"):
    losses = []
    for z, y in zip(logits, labels):
        s = float(z) if y == 1 else -float(z)
        minus_log_p = math.log1p(math.exp(-s)) if s > 0 else -s + math.log1p(math.exp(s))
        weight = alpha if y == 1 else 1 - alpha
        losses.append(weight * sigmoid(-s) ** gamma * minus_log_p)
    if reduction == "none":
        return losses
    return sum(losses) / (len(losses) if reduction == "mean" else 1)
