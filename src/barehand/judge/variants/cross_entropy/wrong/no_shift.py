# mistake: no maximum subtracted
import numpy as np


def cross_entropy(logits, target):
    log_z = np.log(np.exp(logits).sum(axis=1))
    return (log_z - logits[np.arange(logits.shape[0]), target]).mean()
