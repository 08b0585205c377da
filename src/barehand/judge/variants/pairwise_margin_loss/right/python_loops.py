# right: plain Python, the library's distance; positive, negative and margin named p, n and m
import math


def triplet_margin_loss(a, p, n, m=1.0):
    total = 0.0
    for anchor, positive, negative in zip(a.tolist(), p.tolist(), n.tolist()):
        gap = math.dist(anchor, positive) - math.dist(anchor, negative) + m
        if gap > 0 or math.isnan(gap):
            total += gap
    return total / len(a)
