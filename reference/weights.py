"""Counterfactual weights: how strongly each modality is distilled.

Printed form (Eq. 15-18), with Ds the full and Ds^{-m} the loo(m) margin of the student:

    delta^m = Ds - Ds^{-m}      gamma^m = mean over the batch of delta^m
    rho^m = gamma^m / T^m       lambda_m = 1 - rho^m / sum_k rho^k

The printed form is undefined or of wrong sign for a single modality, for negative
effects and for failed teachers. The guarded form used here is, in this order,

    rho~^m   = clamp( gamma^m / max(T^m, eps), r_min, r_max )
    share^m  = rho~^m / sum_k rho~^k
    lambda_m = ( 1 - share^m ) / ( nM - 1 ),  or 1 for a single modality

Weights are constants of the step: no derivative passes through them.
"""

import numpy as np

EPS = 1e-6
R_MIN = 1e-8
R_MAX = 10.0


def guarded_ratio(effect, reference):
    """rho~ = clamp( effect / max(reference, eps), r_min, r_max ): floor, then clamp."""
    return np.clip(effect / np.maximum(reference, EPS), R_MIN, R_MAX)


def released_ratio(effect, reference):
    """c = clamp( effect / reference, r_min, r_max ); 0/0 gives r_min.

    The clamp comes first: x/0 becomes r_max for x > 0 and r_min for x < 0, so only
    0/0 is left for the fallback. A negative reference turns the meaning around; that is
    the known hazard of this form, kept on purpose.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.clip(effect / reference, R_MIN, R_MAX)
    return np.where(np.isfinite(ratio), ratio, R_MIN)


def sign_safe_ratio(effect, reference):
    """c = clamp( max(effect, 0) / max(reference, eps), r_min, r_max )."""
    return np.clip(np.maximum(effect, 0) / np.maximum(reference, EPS), R_MIN, R_MAX)


def share(ratio):
    """rho~^m / sum_k rho~^k over the first axis (modalities); sums to 1."""
    return ratio / ratio.sum(axis=0)


def complement(ratio):
    """(1 - share) / (nM - 1), or 1 for nM = 1: Eq. (18) rescaled to sum 1."""
    if len(ratio) == 1:
        return np.ones_like(ratio)
    return (1.0 - share(ratio)) / (len(ratio) - 1)


def inverse(ratio):
    """(1 / rho~^m) / sum_k (1 / rho~^k)."""
    return share(1.0 / ratio)


SHAPES = {"complement": complement, "inverse": inverse}


def scale_factor(weight_scale, modalities):
    """Sum of the weights: 1 for sum1, nM for sum_nM."""
    return {"sum1": 1.0, "sum_nM": float(modalities)}[weight_scale]


def weigh(ratio, weight_scale="sum1", weight_shape="complement"):
    """lambda from guarded ratios; the first axis is the modality."""
    return scale_factor(weight_scale, len(ratio)) * SHAPES[weight_shape](ratio)


def batch(gamma, reference, weight_scale="sum1", weight_shape="complement"):
    """Batch level: rho~, share and lambda of length nM from gamma^m and T^m.

    `reference` is the batch mean of the teacher margin Dt^m (rho_denominator = teacher)
    or of the student's own uni(m) margin Ds^m (rho_denominator = student).
    """
    rho = guarded_ratio(gamma, reference)
    return {
        "rho": rho,
        "share": share(rho),
        "lambda": weigh(rho, weight_scale, weight_shape),
    }


def triple(delta, reference, weight_scale="sum1", weight_shape="complement"):
    """Triple level of the guarded form: the same formula on every column b of nM x B."""
    rho = guarded_ratio(delta, reference)
    return {"ratio": rho, "w": weigh(rho, weight_scale, weight_shape)}


def released(delta, student):
    """Released code, any nM: w = nM (1 - c^m / sum_k c^k) / (nM - 1), per triple."""
    ratio = released_ratio(delta, student)
    return {"ratio": ratio, "w": weigh(ratio, "sum_nM")}


def sign_safe(delta, student):
    """Like `released` with the ratio that keeps its sign."""
    ratio = sign_safe_ratio(delta, student)
    return {"ratio": ratio, "w": weigh(ratio, "sum_nM")}


def uniform(modalities, weight_scale="sum1"):
    """No re-weighting: equal weights with the sum of the active scale."""
    return np.full(modalities, scale_factor(weight_scale, modalities) / modalities)


class Smoother:
    """weight_smooth = ema(beta): averages of gamma^m and T^m over steps.

    a_1 = x_1,  a_t = beta a_{t-1} + (1 - beta) x_t. The first step equals no smoothing;
    the guards act on the averages.
    """

    def __init__(self, beta):
        self.beta = beta
        self.gamma = None
        self.reference = None

    def step(self, gamma, reference):
        """Takes one step's values and returns the averages."""
        if self.gamma is None:
            self.gamma, self.reference = gamma, reference
        else:
            self.gamma = self.beta * self.gamma + (1 - self.beta) * gamma
            self.reference = self.beta * self.reference + (1 - self.beta) * reference
        return self.gamma, self.reference
