# right: NumPy, with a backward pass
import numpy as np
class SelfAttention:
    def __init__(self, d_model, d_k):
        s = 1 / np.sqrt(d_model)
        self.Wq = np.random.randn(d_model, d_k) * s
        self.Wk = np.random.randn(d_model, d_k) * s
        self.Wv = np.random.randn(d_model, d_k) * s
    def forward(self, X):
        self.X = X
        self.Q, self.K, self.V = X @ self.Wq, X @ self.Wk, X @ self.Wv
        self.scale = np.sqrt(self.Q.shape[-1])
        S = self.Q @ np.swapaxes(self.K, -1, -2) / self.scale
        S -= S.max(-1, keepdims=True)
        E = np.exp(S)
        self.A = E / E.sum(-1, keepdims=True)
        return self.A @ self.V
    def backward(self, dO):
        dV = np.swapaxes(self.A, -1, -2) @ dO
        dA = dO @ np.swapaxes(self.V, -1, -2)
        dS = self.A * (dA - (dA * self.A).sum(-1, keepdims=True)) / self.scale
        dQ = dS @ self.K
        dK = np.swapaxes(dS, -1, -2) @ self.Q
        Xt = self.X.reshape(-1, self.X.shape[-1]).T
        f = lambda t: t.reshape(-1, t.shape[-1])
        self.dWq, self.dWk, self.dWv = Xt @ f(dQ), Xt @ f(dK), Xt @ f(dV)
        return dQ @ self.Wq.T + dK @ self.Wk.T + dV @ self.Wv.T
