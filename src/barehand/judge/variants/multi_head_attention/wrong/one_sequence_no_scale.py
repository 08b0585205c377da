# mistake: no scale
import numpy as np
def multi_head_attention(X, W_q, W_k, W_v, W_o, num_heads):
    T, D = X.shape; d = D // num_heads
    out = []
    for h in range(num_heads):
        c = slice(h * d, (h + 1) * d)
        s = (X @ W_q)[:, c] @ (X @ W_k)[:, c].T
        s = np.exp(s - s.max(-1, keepdims=True)); s /= s.sum(-1, keepdims=True)
        out.append(s @ (X @ W_v)[:, c])
    return np.concatenate(out, -1) @ W_o
