# right: one sequence and square weights
import numpy as np
def softmax(x):
    x = x - x.max(axis=-1, keepdims=True)
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)

def multi_head_attention(X, W_q, W_k, W_v, W_o, n_heads):
    """Multi-head self-attention. X: (seq_len, d_model); all W: (d_model, d_model)"""
    seq, d = X.shape
    dk = d // n_heads
    Q, K, V = X @ W_q, X @ W_k, X @ W_v
    heads = []
    for h in range(n_heads):
        s = slice(h * dk, (h + 1) * dk)
        a = softmax(Q[:, s] @ K[:, s].T / np.sqrt(dk))
        heads.append(a @ V[:, s])
    return np.concatenate(heads, axis=-1) @ W_o
