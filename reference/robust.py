"""Robust weights: one channel for the ids and one per modality, ids first.

    gamma_m  = 1/2 E[l(Ds^0) - l(Ds^m)] + 1/2 E[l(Ds^-m) - l(Ds)]    tau_m = E[l(Dt^m,0) - l(Dt^m)]
    gamma_0  = ln 2 - E l(Ds^0)                                      tau_0 = ln 2 - E l(Dt^0)
    lambda_k = G_k f_k S(tau_k) (1 - clip(gamma_k / tau_k, 0, 1))

gamma and tau are exponential averages over steps, f halves towards what the channel lacks at each evaluation.
"""

import numpy as np

DECAY = 0.95
NEAR = 0.1


def loss(margin):
    """l(x) = ln(1 + e^-x)."""
    return np.logaddexp(0.0, -np.asarray(margin, dtype=np.float64))


def shrunken(x, error):
    """S(x) = [1 - (2 se / x)^2]_+ for positive x, else 0."""
    return max(0.0, 1.0 - (2.0 * error / x) ** 2) if x > 0 else 0.0


def squared_error(samples):
    """Squared standard error of a mean."""
    return float(np.var(samples, ddof=1) / len(samples))


def robust_step(student, teacher):
    """gamma, tau and se(tau)^2 of each channel from margins on the same triples.

    student: {"full", "ids", "only": [...], "without": [...]}
    teacher: {"ids", "own": [...], "silenced": [...]}
    """
    ids = loss(teacher["ids"])
    gamma = [np.log(2.0) - loss(student["ids"]).mean()]
    gain = [np.log(2.0) - ids]
    for only, without in zip(student["only"], student["without"]):
        first = (loss(student["ids"]) - loss(only)).mean()
        last = (loss(without) - loss(student["full"])).mean()
        gamma.append(0.5 * first + 0.5 * last)
    for own, silenced in zip(teacher["own"], teacher["silenced"]):
        gain.append(loss(silenced) - loss(own))
    return np.array(gamma), np.array([g.mean() for g in gain]), np.array([squared_error(g) for g in gain])


class Robust:
    """lambda_k = G_k f_k r_k (1 - u_k), step after step."""

    def __init__(self, gates, goals):
        self.gates, self.goals = np.array(gates), np.array(goals)
        self.fade = np.ones(len(gates))
        self.averages = None

    def step(self, gamma, tau, variance):
        now = np.array([gamma, tau, variance], dtype=np.float64)
        if self.averages is None:
            self.averages = now
        else:
            old = self.averages
            self.averages = DECAY * old + (1 - DECAY) * now
            self.averages[2] = DECAY**2 * old[2] + (1 - DECAY) ** 2 * now[2]
        gamma, tau, variance = self.averages
        reliable = np.array([shrunken(t, np.sqrt(v)) for t, v in zip(tau, variance)])
        used = np.array([min(max(g / t, 0.0), 1.0) if t > 0 else 1.0 for g, t in zip(gamma, tau)])
        return self.gates * self.fade * reliable * (1.0 - used)

    def evaluated(self, channels):
        with np.errstate(divide="ignore", invalid="ignore"):
            lack = np.clip((self.goals - np.array(channels)) / (NEAR * self.goals), 0.0, 1.0)
        lack = np.where(np.isnan(lack), 0.0, lack)  # without a goal there is nothing to reach
        self.fade = 0.5 * self.fade + 0.5 * lack
