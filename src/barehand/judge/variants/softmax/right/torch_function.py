# right: the maximum is detached, which changes no gradient
import torch


def softmax(logits: torch.Tensor, dim: int = -1) -> torch.Tensor:
    m = logits.amax(dim=dim, keepdim=True).detach()
    z = torch.exp(logits - m)
    return z / z.sum(dim=dim, keepdim=True)
