# right: a bare script, its own data, w and b left behind
import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 3))
y = X @ np.array([2.0, -1.0, 0.5]) + 3.0 + 0.1 * rng.normal(size=200)

w = np.zeros(X.shape[1])
b = 0.0
lr = 0.1
for epoch in range(500):
    y_hat = X @ w + b
    residual = y_hat - y
    w -= lr * 2 * X.T @ residual / len(y)
    b -= lr * 2 * residual.mean()
