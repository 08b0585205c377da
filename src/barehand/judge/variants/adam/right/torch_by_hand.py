# right: torch parameters without the Optimizer class, gradients read from .grad
import torch


class MyAdam:
    def __init__(self, parameters, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.parameters = list(parameters)
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.steps = 0
        self.first = [torch.zeros_like(p.data) for p in self.parameters]
        self.second = [torch.zeros_like(p.data) for p in self.parameters]

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None

    def step(self):
        self.steps += 1
        with torch.no_grad():
            for i, p in enumerate(self.parameters):
                self.first[i] = torch.lerp(self.first[i], p.grad, 1 - self.beta1)
                self.second[i] = self.beta2 * self.second[i] + (1 - self.beta2) * p.grad.square()
                m = self.first[i] / (1 - self.beta1**self.steps)
                v = self.second[i] / (1 - self.beta2**self.steps)
                p -= self.lr * m / (torch.sqrt(v) + self.eps)
