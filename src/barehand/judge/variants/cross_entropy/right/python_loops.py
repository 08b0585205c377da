# right: plain Python, a list of losses that is averaged at the end
import math


def cross_entropy(logits, targets):
    losses = []
    for row, target in zip(logits, targets):
        row = [float(z) for z in row]
        top = max(row)
        total = sum(math.exp(z - top) for z in row)
        losses.append((top - row[int(target)]) + math.log(total))
    return sum(losses) / len(losses)
