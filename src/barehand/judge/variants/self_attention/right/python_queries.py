# right: one query at a time, over one sequence
import math

import numpy as np


def dot(a, b):
    return sum(float(p) * float(q) for p, q in zip(a, b))


def self_attention(X, Wq, Wk, Wv):
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    output = []
    for q in Q:
        scores = [dot(q, k) / math.sqrt(len(q)) for k in K]
        top = max(scores)
        weights = [math.exp(s - top) for s in scores]
        total = sum(weights)
        output.append(sum(w / total * v for w, v in zip(weights, V)))
    return np.array(output)
