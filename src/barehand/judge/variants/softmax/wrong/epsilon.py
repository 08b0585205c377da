# mistake: an epsilon in the denominator
import numpy as np


def stable_softmax(logits, axis=-1):
    logits = logits - logits.max(axis=axis, keepdims=True)
    e = np.exp(logits)
    return e / (e.sum(axis=axis, keepdims=True) + 1e-5)
