# right: powers of two in place of exp, and the axis moved to the end and back
import numpy as np

LOG2_E = 1.4426950408889634


def my_softmax(a, axis=-1):
    a = np.moveaxis(np.asarray(a), axis, -1)
    shifted = a - np.amax(a, axis=-1)[..., None]
    powers = np.exp2(shifted * LOG2_E)
    p = powers / powers.sum(-1)[..., None]
    return np.moveaxis(p, -1, axis)
