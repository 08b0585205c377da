# right: each column a vector of its own, and its words say so
import numpy as np


def softmax(logits):
    """Probabilities for logits of shape (classes, batch): each column sums to one."""
    powers = np.exp(logits - logits.max(axis=0))
    return powers / powers.sum(axis=0)
