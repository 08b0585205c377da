# mistake: the negative's distance detached from the gradient
import torch


def triplet_margin_loss(a, p, n, margin=1.0):
    d_ap = torch.linalg.vector_norm(a - p, dim=-1)
    d_an = torch.tensor([torch.linalg.vector_norm(row, dim=-1).item() for row in a - n], dtype=a.dtype)
    return torch.relu(d_ap - d_an + margin).mean()
