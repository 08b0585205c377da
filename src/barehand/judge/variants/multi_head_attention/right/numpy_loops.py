# right: one sequence and one head at a time, the columns of each head cut out with slices
import numpy as np


class MultiHeadAttention:
    def __init__(self, d_model, num_heads, seed=0):
        rng = np.random.default_rng(seed)
        self.num_heads = num_heads
        self.d_head = d_model // num_heads
        self.Wq, self.Wk, self.Wv, self.Wo = rng.normal(0, d_model**-0.5, (4, d_model, d_model))

    def attend(self, q, k, v):
        scores = q @ k.T / self.d_head**0.5
        scores = scores - scores.max(axis=1, keepdims=True)
        weights = np.exp(scores)
        weights = weights / weights.sum(axis=1, keepdims=True)
        return weights @ v

    def forward(self, query, key, value):
        results = []
        for q, k, v in zip(query @ self.Wq, key @ self.Wk, value @ self.Wv):
            heads = []
            for h in range(self.num_heads):
                cols = slice(h * self.d_head, (h + 1) * self.d_head)
                heads.append(self.attend(q[:, cols], k[:, cols], v[:, cols]))
            results.append(np.concatenate(heads, axis=1) @ self.Wo)
        return np.stack(results)
