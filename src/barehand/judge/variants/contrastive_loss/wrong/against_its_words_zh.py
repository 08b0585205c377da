# mistake: the labels reversed
import numpy as np
def contrastive_loss(x1, x2, y, margin=1.0):
    """对比损失。y=1 表示相似样本对，y=0 表示不相似"""
    d = np.linalg.norm(x1 - x2, axis=1)
    return np.mean((1 - y) * d**2 + y * np.maximum(0, margin - d)**2)
