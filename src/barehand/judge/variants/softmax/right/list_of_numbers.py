# right: a list of numbers, plain Python
import math
def softmax(scores: list[float]) -> list[float]:
    m = max(scores)
    exp_scores = [math.exp(s - m) for s in scores]
    total = sum(exp_scores)
    return [e / total for e in exp_scores]
