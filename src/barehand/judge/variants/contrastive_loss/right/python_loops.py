# right: plain Python, the library's distance, summed over the pairs where asked to
import math


def contrastive_loss(pairs_a, pairs_b, same, margin=1.0, reduction="mean"):
    losses = []
    for a, b, s in zip(pairs_a, pairs_b, same):
        d = math.dist([float(v) for v in a], [float(v) for v in b])
        if s:
            losses.append(d * d)
        else:
            losses.append(max(margin - d, 0.0) ** 2)
    if reduction == "sum":
        return sum(losses)
    return sum(losses) / len(losses)
