"""Counterfactual weights: how strongly each modality is distilled.

Printed form (Eq. 15-18), with Ds the full and Ds^{-m} the loo(m) margin of the student:

    delta^m = Ds - Ds^{-m}      gamma^m = mean over the batch of delta^m
    rho^m = gamma^m / T^m       lambda_m = 1 - rho^m / sum_k rho^k

The printed form is undefined or of wrong sign for a single modality, for negative
effects and for failed teachers. The guarded form used here is, in this order,

    taught   = the modalities k with T^k > 0, n their number
    rho~^m   = clamp( gamma^m / max(T^m, eps), r_min, r_max )
    share^m  = rho~^m / sum over taught k of rho~^k
    lambda_m = ( 1 - share^m ) / ( n - 1 ),  or 1 for n = 1;  0 for m not taught

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


def taught(ratio, teacher=None):
    """Which entries of `ratio` are taught: those whose teacher's margin is positive."""
    return np.full(np.shape(ratio), True) if teacher is None else teacher > 0


def share(ratio, teach=None):
    """rho~^m over the sum of the taught ones (first axis: modalities); 0 for the others."""
    teach = taught(ratio) if teach is None else teach
    kept = np.where(teach, ratio, 0.0)
    total = kept.sum(axis=0)
    return kept / np.where(total > 0, total, 1.0)


def complement(ratio, teach):
    """(1 - share) / (n - 1), or 1 for n = 1: Eq. (18) rescaled to sum 1."""
    count = teach.sum(axis=0)
    spread = (1.0 - share(ratio, teach)) / np.maximum(count - 1, 1)
    return np.where(teach, np.where(count == 1, 1.0, spread), 0.0)


def inverse(ratio, teach):
    """(1 / rho~^m) / sum over taught k of (1 / rho~^k)."""
    return share(1.0 / ratio, teach)


SHAPES = {"complement": complement, "inverse": inverse}
SCALES = ("sum1", "sum_nM", "printed")


def scale_factor(weight_scale, modalities):
    """Sum of the weights: 1 for sum1, nM for sum_nM, nM - 1 as Eq. (18) is printed."""
    modalities = np.asarray(modalities, dtype=float)
    return {
        "sum1": np.ones_like(modalities),
        "sum_nM": modalities,
        "printed": np.maximum(modalities - 1, 0),
    }[weight_scale]


def weigh(ratio, weight_scale="sum1", weight_shape="complement", teacher=None):
    """lambda from guarded ratios; the first axis is the modality.

    `teacher` has the teachers' margins where the ratio is taken against them: a teacher
    whose margin is not positive is left out, as if its modality were not there.
    """
    teach = taught(ratio, teacher)
    return scale_factor(weight_scale, teach.sum(axis=0)) * SHAPES[weight_shape](ratio, teach)


def batch(gamma, reference, weight_scale="sum1", weight_shape="complement", source="teacher"):
    """Batch level: rho~, share and lambda of length nM from gamma^m and T^m.

    `reference` is the batch mean of the teacher margin Dt^m (`source` teacher) or of the
    student's own uni(m) margin Ds^m (`source` student, where no modality is left out).
    """
    rho = guarded_ratio(gamma, reference)
    teacher = reference if source == "teacher" else None
    return {
        "rho": rho,
        "share": share(rho, taught(rho, teacher)),
        "lambda": weigh(rho, weight_scale, weight_shape, teacher),
    }


def triple(delta, reference, weight_scale="sum1", weight_shape="complement", source="teacher"):
    """Triple level of the guarded form: the same formula on every column b of nM x B."""
    rho = guarded_ratio(delta, reference)
    teacher = reference if source == "teacher" else None
    return {"ratio": rho, "w": weigh(rho, weight_scale, weight_shape, teacher)}


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
