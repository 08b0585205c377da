# mistake: epsilon inside the root
import numpy as np


def adam(w, x, y, lr=0.01, epochs=100, batch_size=16):
    beta1, beta2, eps = 0.9, 0.999, 1e-8
    m, v = np.zeros(w.shape), np.zeros(w.shape)
    for t in range(1, epochs + 1):
        idx = np.random.randint(0, len(x), batch_size)
        g = 2 * x[idx].T @ (x[idx] @ w - y[idx]) / batch_size
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        w = w - lr * m_hat / np.sqrt(v_hat + eps)
    return w
