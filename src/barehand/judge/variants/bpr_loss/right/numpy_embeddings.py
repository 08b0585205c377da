# right: from user and item embeddings, scores are dot products of rows
import numpy as np


def log_sigmoid(z):
    small = np.minimum(z, 0)
    return small - np.log1p(np.exp(-np.abs(z)))


def bpr_loss(user_emb, pos_item_emb, neg_item_emb):
    x_ui = np.sum(user_emb * pos_item_emb, axis=1)
    x_uj = np.sum(user_emb * neg_item_emb, axis=1)
    return -np.mean(log_sigmoid(x_ui - x_uj))
