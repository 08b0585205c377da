# right: a bare script, its own data, w and b left behind
import numpy as np

rng = np.random.default_rng(42)
X = rng.normal(size=(300, 2))
y = (X[:, 0] - 2 * X[:, 1] + 0.5 + rng.normal(size=300) > 0).astype(float)

w = np.zeros(2)
b = 0.0
learning_rate = 0.5
for step in range(1000):
    z = X @ w + b
    p = np.exp(-np.logaddexp(0, -z))
    dw = X.T @ (p - y) / len(X)
    db = np.mean(p - y)
    w = w - learning_rate * dw
    b = b - learning_rate * db
