# right: squared distances, as FaceNet has it
import numpy as np


def triplet_loss(anchor, positive, negative, alpha=1.0):
    to_positive = np.square(anchor - positive, dtype=np.float64).sum(axis=-1)
    to_negative = np.square(anchor - negative, dtype=np.float64).sum(axis=-1)
    return np.mean(np.maximum(to_positive - to_negative + alpha, 0.0))
