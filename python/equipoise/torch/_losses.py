"""Losses of margins. A margin is the score of the preferred item of a triple less that of the other."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import embedding, softplus


def margins(users: Tensor, items: Tensor, triples: Tensor) -> Tensor:
    """
    ``<users[u], items[i] - items[j]>`` for each triple.

    Parameters
    ----------
    users, items : Tensor
        Users x width and items x width.
    triples : Tensor of int64
        One row ``(user, preferred item, other item)`` per triple.
    """
    u, i, j = triples.unbind(dim=1)
    # `embedding` gathers rows as indexing does, with a faster gradient.
    return (embedding(u, users) * (embedding(i, items) - embedding(j, items))).sum(dim=1)


def bpr(margin: Tensor) -> Tensor:
    """Bayesian personalised ranking: the mean of ``ln(1 + e^-margin)``."""
    return softplus(-margin).mean()


def penalty(users: Tensor, items: Tensor, triples: Tensor, reg: float) -> Tensor:
    """``reg / 2`` times the mean over triples of the squared norms of their three final rows."""
    u, i, j = triples.unbind(dim=1)
    rows = (embedding(u, users), embedding(i, items), embedding(j, items))
    return 0.5 * reg * sum(part.square().sum() for part in rows) / len(triples)


def hinge(student: Tensor, teacher: Tensor) -> Tensor:
    """``max(teacher - student, 0)`` per triple (Eq. 11)."""
    return torch.relu(teacher - student)


def squared(student: Tensor, teacher: Tensor) -> Tensor:
    """``(teacher - student)^2`` per triple."""
    return (teacher - student).square()


def cross_entropy(student: Tensor, teacher: Tensor, tau: float, log: str = "exact") -> Tensor:
    """
    Cross-entropy of the student's preference with the teacher's at temperature ``tau``, per triple (Eq. 12-13).

    Parameters
    ----------
    log : {"exact", "released"}
        ``released`` adds 1e-8 inside each logarithm, as the authors' code does: the loss is capped, and its gradient vanishes once
        the student is sure of the wrong side.
    """
    p, z = torch.sigmoid(teacher / tau), student / tau
    if log == "exact":
        return softplus(z) - p * z
    q = torch.sigmoid(z)
    return -(p * torch.log(q + 1e-8) + (1 - p) * torch.log(1 - q + 1e-8))


def kl(student: Tensor, teacher: Tensor, tau: float) -> Tensor:
    """Bernoulli KL divergence of the student's preference from the teacher's at temperature ``tau``, per triple."""
    return cross_entropy(student, teacher, tau) - cross_entropy(teacher, teacher, tau)
