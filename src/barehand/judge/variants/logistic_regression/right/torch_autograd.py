# right: torch takes the gradient of the loss from logits; labels may come as integers
import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits


def train_logistic_regression(X, y, lr=0.1, epochs=200):
    X = torch.as_tensor(np.array(X), dtype=torch.float64)
    y = torch.as_tensor(np.array(y), dtype=torch.float64)
    w = torch.zeros(X.shape[1], dtype=torch.float64, requires_grad=True)
    b = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    for _ in range(epochs):
        loss = binary_cross_entropy_with_logits(X @ w + b, y)
        dw, db = torch.autograd.grad(loss, (w, b))
        with torch.no_grad():
            w -= lr * dw
            b -= lr * db
    return w.detach().numpy(), float(b)
