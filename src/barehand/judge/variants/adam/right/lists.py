# right: numbers in lists
import math
class Adam:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m = self.v = None
        self.t = 0
    def step(self, w, g):
        if self.m is None:
            self.m = [0.0] * len(w)
            self.v = [0.0] * len(w)
        self.t += 1
        out = []
        for i in range(len(w)):
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g[i]
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g[i] ** 2
            mh = self.m[i] / (1 - self.beta1 ** self.t)
            vh = self.v[i] / (1 - self.beta2 ** self.t)
            out.append(w[i] - self.lr * mh / (math.sqrt(vh) + self.eps))
        return out
