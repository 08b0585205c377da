# mistake: every row against every label
import torch
from torch import nn


class LinearRegression(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.linear = nn.Linear(n_features, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, X):
        return self.linear(X)

    def fit(self, X, y, lr=0.1, epochs=100):
        optimizer = torch.optim.SGD(self.parameters(), lr=lr)
        for _ in range(epochs):
            loss = ((self(X) - y) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return self

    def predict(self, X):
        with torch.no_grad():
            return self(X)[:, 0]
