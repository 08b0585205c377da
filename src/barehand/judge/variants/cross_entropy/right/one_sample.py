# right: one row of logits and its label
import numpy as np
def cross_entropy(logits, label):
    """for one sample: logits (C,), label int"""
    c = logits.max()
    return c + np.log(np.sum(np.exp(logits - c))) - logits[label]
