# mistake: |a|² + |b|² - 2ab for the squared distance
import numpy as np


def contrastive_loss(a, b, y, margin=1.0):
    d2 = (a**2).sum(1) + (b**2).sum(1) - 2 * (a * b).sum(1)
    d = np.sqrt(np.maximum(d2, 0))
    return np.mean(y * d2 + (1 - y) * np.maximum(0, margin - d) ** 2)
