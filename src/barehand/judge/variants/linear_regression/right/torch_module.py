# right: a module around a Linear layer that starts at zero, trained with torch's plain descent
import torch
from torch import nn


class LinearRegression(nn.Module):
    def __init__(self, in_features, lr=0.1, epochs=100):
        super().__init__()
        self.linear = nn.Linear(in_features, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        self.lr = lr
        self.epochs = epochs

    def forward(self, x):
        return self.linear(x).squeeze(-1)

    def fit(self, X, y):
        optimizer = torch.optim.SGD(self.parameters(), lr=self.lr)
        criterion = nn.MSELoss()
        for _ in range(self.epochs):
            optimizer.zero_grad()
            loss = criterion(self(X), y)
            loss.backward()
            optimizer.step()
        return self
