# mistake: the sum for the mean in the gradient
import torch
import torch.nn.functional as F


def train_logistic_regression(X, y, lr=0.1, epochs=100):
    X = torch.as_tensor(X, dtype=torch.float64)
    y = torch.as_tensor(y, dtype=torch.float64)
    w = torch.zeros(X.shape[1], dtype=torch.float64, requires_grad=True)
    b = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    for _ in range(epochs):
        loss = F.binary_cross_entropy_with_logits(X @ w + b, y, reduction="sum")
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
            w.grad.zero_()
            b.grad.zero_()
    return w.detach().numpy(), b.item()
