# right: starts from given weights, which stay as they are; returns the history too; half the squared error
import copy

import numpy as np


def compute_gradient(X, y, w, b):
    m = X.shape[0]
    err = X.dot(w) + b - y
    return X.T.dot(err) / m, np.sum(err) / m


def gradient_descent(X, y, w_in, b_in, alpha, num_iters):
    w = copy.deepcopy(w_in)
    b = b_in
    J_history = []
    for _ in range(num_iters):
        dj_dw, dj_db = compute_gradient(X, y, w, b)
        w = w - alpha * dj_dw
        b = b - alpha * dj_db
        J_history.append(np.mean((X @ w + b - y) ** 2) / 2)
    return w, b, J_history
