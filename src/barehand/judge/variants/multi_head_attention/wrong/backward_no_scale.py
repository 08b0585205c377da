# mistake: the gradient not scaled
import numpy as np
class MultiHeadAttention:
    def __init__(self, d_model, num_heads, seed=0):
        rng = np.random.default_rng(seed)
        self.H = num_heads
        self.dk = d_model // num_heads
        self.Wq = rng.normal(0, 0.1, (d_model, d_model))
        self.Wk = rng.normal(0, 0.1, (d_model, d_model))
        self.Wv = rng.normal(0, 0.1, (d_model, d_model))
        self.Wo = rng.normal(0, 0.1, (d_model, d_model))
    def _split(self, x):
        B, T, D = x.shape
        return x.reshape(B, T, self.H, self.dk).transpose(0, 2, 1, 3)
    def _merge(self, x):
        B, H, T, d = x.shape
        return x.transpose(0, 2, 1, 3).reshape(B, T, H * d)
    def forward(self, x):
        self.x = x
        self.q, self.k, self.v = self._split(x @ self.Wq), self._split(x @ self.Wk), self._split(x @ self.Wv)
        s = self.q @ self.k.swapaxes(-1, -2) / np.sqrt(self.dk)
        s = s - s.max(-1, keepdims=True)
        e = np.exp(s)
        self.a = e / e.sum(-1, keepdims=True)
        self.o = self._merge(self.a @ self.v)
        return self.o @ self.Wo
    def backward(self, dout):
        x = self.x
        self.dWo = np.einsum('btd,bte->de', self.o, dout)
        do = self._split(dout @ self.Wo.T)
        dv = self.a.swapaxes(-1, -2) @ do
        da = do @ self.v.swapaxes(-1, -2)
        ds = self.a * (da - (da * self.a).sum(-1, keepdims=True))
        dq = ds @ self.k
        dk = ds.swapaxes(-1, -2) @ self.q
        dq, dk, dv = self._merge(dq), self._merge(dk), self._merge(dv)
        self.dWq = np.einsum('btd,bte->de', x, dq)
        self.dWk = np.einsum('btd,bte->de', x, dk)
        self.dWv = np.einsum('btd,bte->de', x, dv)
        return dq @ self.Wq.T + dk @ self.Wk.T + dv @ self.Wv.T
