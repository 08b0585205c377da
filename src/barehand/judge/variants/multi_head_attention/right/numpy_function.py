# right: plain matrices stored (in, out), multiplied from the right, no biases
import numpy as np


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def split_heads(x, num_heads):
    batch, length, width = x.shape
    return x.reshape(batch, length, num_heads, width // num_heads).transpose(0, 2, 1, 3)


def multi_head_attention(q, k, v, W_q, W_k, W_v, W_o, num_heads):
    Q = split_heads(q @ W_q, num_heads)
    K = split_heads(k @ W_k, num_heads)
    V = split_heads(v @ W_v, num_heads)
    scores = Q @ K.transpose(0, 1, 3, 2) / np.sqrt(Q.shape[-1])
    out = softmax(scores) @ V
    batch, heads, length, width = out.shape
    return out.transpose(0, 2, 1, 3).reshape(batch, length, heads * width) @ W_o
