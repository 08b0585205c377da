# right: a class with a backward pass; distances scaled by the largest difference of their row
import numpy as np


def length_and_direction(diff):
    size = np.abs(diff).max(axis=-1, keepdims=True)
    scaled = diff / np.where(size == 0, 1, size)
    norm = np.sqrt((scaled * scaled).sum(axis=-1, keepdims=True))
    return (size * norm)[..., 0], scaled / np.where(norm == 0, 1, norm)


class TripletLoss:
    def __init__(self, margin=1.0):
        self.margin = margin

    def forward(self, a, p, n):
        d_ap, self.u_ap = length_and_direction(a - p)
        d_an, self.u_an = length_and_direction(a - n)
        losses = np.maximum(d_ap - d_an + self.margin, 0)
        self.active = (losses > 0)[:, None].astype(a.dtype) / len(losses)
        return losses.mean()

    def backward(self):
        to_p, to_n = self.active * self.u_ap, self.active * self.u_an
        return to_p - to_n, -to_p, to_n
