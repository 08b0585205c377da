# right: any number of axes after the channels, buffers for the running statistics
import torch
from torch import nn


class BatchNorm(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x):
        dims = [0, *range(2, x.dim())]
        shape = [1, -1] + [1] * (x.dim() - 2)
        if self.training:
            mean = x.mean(dims)
            d = x - mean.view(shape)
            d = d - d.mean(dims, keepdim=True)
            var = d.square().mean(dims)
            with torch.no_grad():
                n = x.numel() // x.size(1)
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * n / (n - 1), self.momentum)
        else:
            d = x - self.running_mean.view(shape)
            var = self.running_var
        return self.weight.view(shape) * (d / torch.sqrt(var + self.eps).view(shape)) + self.bias.view(shape)
