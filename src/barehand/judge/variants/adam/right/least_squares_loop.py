# right: a whole training loop for a linear model on the squared error, a random handful of rows each step
import numpy as np


def adam(w, x, y, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8, epochs=100, batch_size=8):
    w = np.array(w, dtype=float)
    m = np.zeros_like(w)
    v = np.zeros_like(w)
    for t in range(1, epochs + 1):
        rows = np.random.choice(len(x), size=min(batch_size, len(x)), replace=False)
        error = x[rows] @ w - y[rows]
        g = 2 * x[rows].T @ error / len(rows)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        w = w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return w
