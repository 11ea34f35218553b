"""The losses of a step: ranking, penalty, and counterfactual knowledge distillation.

    L_BPR = mean sp(-D)          L_reg = reg / (2 B) sum (|Y_u|^2 + |Z_i|^2 + |Z_j|^2)
    h = max(Dt - Ds, 0)          g = sp(Ds/tau) - sig(Dt/tau) Ds/tau
    rho_m = clamp(mean(D - D_without(m)) / max(mean Dt, 1e-6), 1e-8, 10)
    lambda_m = (1 - rho_m / sum rho) / (n - 1), 1 if n = 1; constants of the backward pass
    L = L_BPR + L_reg + lambda_kd sum_m lambda_m (mean h_m + lambda_g mean g_m)
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass
class Settings:
    """Constants of the losses."""

    lambda_kd: float = 0.01
    lambda_g: float = 5.0
    tau: float = 0.1
    reg: float = 1e-5


def only(m, n):
    """Everything silenced but modality m."""
    return frozenset(range(n)) - {m}


def wanted(n):
    """The ablations that distillation reads, each once, full first."""
    listing = [frozenset()]
    for m in range(n):
        listing += [a for a in (only(m, n), frozenset({m})) if a not in listing]
    return listing


def ranking(margins):
    """L_BPR."""
    return F.softplus(-margins).mean()


def weights(full, without, teachers):
    """lambda_m of every modality."""
    n = len(teachers)
    if n == 1:
        return torch.ones(1, dtype=full.dtype)
    effects = torch.stack([(full - w).mean() for w in without]).detach()
    level = torch.stack([t.mean() for t in teachers]).clamp(min=1e-6)
    rho = (effects / level).clamp(1e-8, 10.0)
    return (1 - rho / rho.sum()) / (n - 1)


def distillation(margins, teachers, count, settings):
    """lambda_kd sum_m lambda_m L^m; `margins(silenced)` and teachers cover `count` ranking
    triples, then the generic ones.
    """
    n = len(teachers)
    full = margins(frozenset())[:count]
    without = [margins(frozenset({m}))[:count] for m in range(n)]
    share = weights(full, without, [t[:count] for t in teachers])
    total = 0.0
    for m, teacher in enumerate(teachers):
        student = margins(only(m, n))
        loss = (teacher[:count] - student[:count]).clamp(min=0).mean()
        if settings.lambda_g and len(student) > count:
            s, t = student[count:] / settings.tau, teacher[count:] / settings.tau
            loss = loss + settings.lambda_g * (F.softplus(s) - torch.sigmoid(t) * s).mean()
        total = total + share[m] * loss
    return settings.lambda_kd * total
