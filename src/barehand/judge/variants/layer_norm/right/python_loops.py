# right: plain Python with exact sums, row by row
import math

import numpy as np


def layer_norm(rows, weight, bias, eps=1e-5):
    out = []
    for row in rows:
        values = [float(v) for v in row]
        n = len(values)
        mu = math.fsum(values) / n
        deviations = [v - mu for v in values]
        rest = math.fsum(deviations) / n
        deviations = [d - rest for d in deviations]
        sigma = math.sqrt(math.fsum(d * d for d in deviations) / n + eps)
        out.append([d / sigma * float(w) + float(b) for d, w, b in zip(deviations, weight, bias)])
    return np.array(out)
