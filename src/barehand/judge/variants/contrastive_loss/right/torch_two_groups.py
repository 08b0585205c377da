# right: similar and dissimilar pairs picked out by index and summed apart, the factor 1/2 in front
import torch


def contrastive_loss(emb_a, emb_b, is_same, margin=1.0):
    same = is_same == 1
    delta = emb_a - emb_b
    near = delta[same]
    far = delta[~same]
    total = 0.5 * (near * near).sum()
    if len(far):
        largest = far.abs().max(dim=1, keepdim=True).values.detach().clamp(min=torch.finfo(far.dtype).tiny)
        distance = torch.linalg.norm(far / largest, dim=1) * largest[:, 0]
        total = total + 0.5 * (torch.relu(margin - distance) ** 2).sum()
    return total / len(delta)
