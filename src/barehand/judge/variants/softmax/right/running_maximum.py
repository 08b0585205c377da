# right: one pass over each row, the sum rescaled whenever a larger score turns up
import numpy as np


def online_softmax(x):
    x = np.asarray(x, dtype=float)
    out = np.empty_like(x)
    for i, row in enumerate(x):
        m, s = -np.inf, 0.0
        for score in row:
            if score == -np.inf:
                continue
            new = max(m, score)
            s = s * np.exp(m - new) + np.exp(score - new)
            m = new
        out[i] = np.exp(row - m) / s
    return out
