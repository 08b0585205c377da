# right: parameters and statistics of shape (1, n)
import torch, torch.nn as nn
class BatchNorm(nn.Module):
    def __init__(self, n, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.gamma = nn.Parameter(torch.ones(1, n)); self.beta = nn.Parameter(torch.zeros(1, n))
        self.register_buffer('running_mean', torch.zeros(1, n)); self.register_buffer('running_var', torch.ones(1, n))
    def forward(self, x):
        if self.training:
            mu = x.mean(0, keepdim=True); var = x.var(0, keepdim=True, unbiased=False)
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mu.detach()
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * var.detach()
        else:
            mu, var = self.running_mean, self.running_var
        return self.gamma * (x - mu) / torch.sqrt(var + self.eps) + self.beta
