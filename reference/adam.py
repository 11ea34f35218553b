"""Adam (Kingma & Ba, ICLR 2015, Algorithm 1), epsilon outside the square root.

    m_t = b1 m_{t-1} + (1 - b1) g_t          mhat = m_t / (1 - b1^t)
    v_t = b2 v_{t-1} + (1 - b2) g_t^2        vhat = v_t / (1 - b2^t)
    p_t = p_{t-1} - lr mhat / ( sqrt(vhat) + eps )
"""

import numpy as np

BETA1 = 0.9
BETA2 = 0.999
EPS = 1e-8


class Adam:
    """State of one parameter array; no weight decay, constant learning rate."""

    def __init__(self, shape, lr):
        self.lr = lr
        self.time = 0
        self.first = np.zeros(shape)
        self.second = np.zeros(shape)

    def step(self, parameter, gradient):
        """One update; returns the new parameter and keeps the moments."""
        self.time += 1
        self.first = BETA1 * self.first + (1 - BETA1) * gradient
        self.second = BETA2 * self.second + (1 - BETA2) * gradient * gradient
        first_hat = self.first / (1 - BETA1**self.time)
        second_hat = self.second / (1 - BETA2**self.time)
        return parameter - self.lr * first_hat / (np.sqrt(second_hat) + EPS)
