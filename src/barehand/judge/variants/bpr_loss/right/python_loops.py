# right: plain Python, the branch by the sign of the difference
import math


def bpr(positive, negative):
    total = 0.0
    for p, n in zip(positive, negative):
        z = float(p) - float(n)
        if z > 0:
            total += math.log1p(math.exp(-z))
        else:
            total += -z + math.log1p(math.exp(z))
    return total / len(positive)
