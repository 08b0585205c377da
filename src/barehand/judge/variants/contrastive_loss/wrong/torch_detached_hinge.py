# mistake: the hinge held constant in the gradient
import torch


def contrastive_loss(z1, z2, y, margin=1.0):
    diff = z1 - z2
    d = torch.linalg.vector_norm(diff, dim=1)
    hinge = torch.zeros_like(d)
    hinge[d < margin] = (margin - d[d < margin]).detach()
    return torch.where(y == 1, diff.pow(2).sum(1), hinge**2).mean()
