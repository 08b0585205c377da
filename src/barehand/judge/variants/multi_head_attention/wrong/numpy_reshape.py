# mistake: heads reshaped without a transpose
import numpy as np


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def multi_head_attention(q, k, v, W_q, W_k, W_v, W_o, num_heads):
    batch, length, d_model = q.shape
    d_k = d_model // num_heads
    Q = (q @ W_q).reshape(batch, num_heads, -1, d_k)
    K = (k @ W_k).reshape(batch, num_heads, -1, d_k)
    V = (v @ W_v).reshape(batch, num_heads, -1, d_k)
    weights = softmax(Q @ K.transpose(0, 1, 3, 2) / np.sqrt(d_k))
    out = (weights @ V).reshape(batch, length, d_model)
    return out @ W_o
