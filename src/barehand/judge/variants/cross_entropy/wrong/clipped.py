# mistake: probabilities clamped
import numpy as np


class CategoricalCrossEntropy:
    def __call__(self, y_true, y_pred):
        y_pred = np.clip(y_pred, 1e-7, 1 - 1e-7)
        return -np.sum(y_true * np.log(y_pred), axis=-1).mean()
