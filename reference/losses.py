"""Loss terms, each a function of margins (length B or G) or of embedding tables.

Numbers in brackets are equations of "Modality-Balanced Learning for Multimedia
Recommendation" (ACM MM 2024, arXiv 2408.06360).

Student margins may be complex (complex-step derivative), so every comparison reads
the real part. Teacher margins are constants and stay real.
"""

import numpy as np


def softplus(x):
    """sp(x) = ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|), finite for any finite x."""
    positive = np.real(x) > 0
    return np.where(positive, x, 0) + np.log1p(np.exp(np.where(positive, -x, x)))


def sigmoid(x):
    """sig(x) = 1 / (1 + e^-x) for real x, without overflow."""
    tail = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, tail) / (1.0 + tail)


def mean(values):
    """Arithmetic mean; numpy's pairwise summation is not needed at these sizes."""
    return values.sum() / values.size


def bpr(full):
    """L_BPR = (1/B) sum sp(-Delta(u, i, j))."""
    return mean(softplus(-full))


def l2(users, items, triples, reg):
    """L_reg = reg (1/B) (1/2) sum over the batch of |Y_u|^2 + |Z_i|^2 + |Z_j|^2.

    Y and Z are the final tables of the pass being trained (full for the student, uni(m)
    for teacher m). A row that occurs twice in the batch counts twice.
    """
    u, i, j = triples.T
    rows = (users[u], items[i], items[j])
    return reg * 0.5 * sum((row * row).sum() for row in rows) / len(triples)


def hinge(teacher, student):
    """h = max(Dt - Ds, 0) per triple, Eq. (11)."""
    gap = teacher - student
    return np.where(np.real(gap) > 0, gap, 0)


def generic(teacher, student, tau):
    """g = sp(z_s) - p z_s per triple; z = D / tau, p = sig(z_t). Eq. (12)-(13).

    Equal to -(p ln sig(z_s) + (1 - p) ln(1 - sig(z_s))), in the form that cannot
    overflow or saturate.
    """
    z_student = student / tau
    return softplus(z_student) - sigmoid(teacher / tau) * z_student


def kl(teacher, student, tau):
    """KL( sig(Dt/tau) || sig(Ds/tau) ) = g(Ds) - g(Dt), as g at the teacher is H(p)."""
    return generic(teacher, student, tau) - generic(teacher, teacher, tau)


def mse(teacher, student, _tau=None):
    """(Dt - Ds)^2 per triple; margins are not divided by tau."""
    gap = teacher - student
    return gap * gap


SPECIFIC = {
    "hinge": lambda teacher, student, tau: hinge(teacher, student),
    "kl": kl,
    "mse": mse,
}
"""The specific loss of Eq. (11) and the two replacements of the ablation study."""


def distillation(specific, generic_mean, weights, lambda_kd, lambda_g):
    """lambda_kd (1/B) sum_b sum_m w_b^m ( h_b^m + lambda_g L_GD^m ).

    `specific` and `weights` are nM x B, `generic_mean` has length nM. Weights constant
    over b give the distillation part of Eq. (19),
    lambda_kd sum_m lambda_m ( L_SD^m + lambda_g L_GD^m ).
    """
    per_triple = weights * (specific + lambda_g * generic_mean[:, None])
    return lambda_kd * per_triple.sum() / specific.shape[1]
