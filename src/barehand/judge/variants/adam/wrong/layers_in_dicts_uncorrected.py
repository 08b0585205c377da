# mistake: layers in a dict, and only the second moment corrected
import numpy as np


def update_with_adam(parameters, grads, v, s, t, learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8):
    for layer in range(1, len(parameters) // 2 + 1):
        for kind in ("W", "b"):
            name = kind + str(layer)
            g = grads["d" + name]
            v["d" + name] = beta1 * v["d" + name] + (1 - beta1) * g
            s["d" + name] = beta2 * s["d" + name] + (1 - beta2) * g * g
            square = s["d" + name] / (1 - beta2**t)
            parameters[name] = parameters[name] - learning_rate * v["d" + name] / (np.sqrt(square) + epsilon)
    return parameters, v, s
