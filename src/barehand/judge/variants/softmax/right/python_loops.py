# right: plain Python, one row and one number at a time
import math

import numpy as np


def softmax_row(row):
    biggest = max(row)
    exps = []
    for value in row:
        exps.append(math.exp(value - biggest))
    total = 0.0
    for e in exps:
        total += e
    return [e / total for e in exps]


def softmax(matrix):
    result = []
    for row in matrix:
        result.append(softmax_row([float(v) for v in row]))
    return np.array(result)
