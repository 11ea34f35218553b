"""Robust weights: a channel is taught what it lacks, the ids are a channel of their own, and teaching ends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ._ablations import FULL, ids_only, only, without
from ._ckd import Backbone, Encoded, Taught, Teaching
from ._teacher import Teacher
from ._weights import StepWeights

DECAY = 0.95
NEAR = 0.1


def shrunken(x: float, error: float) -> float:
    """``1 - (2 error / x)^2`` where that and ``x`` are positive, else 0: 0 within two standard errors of 0."""
    return max(0.0, 1.0 - (2.0 * error / x) ** 2) if x > 0 and error == error else 0.0


def gate(*differences: Sequence[float] | Tensor) -> float:
    """
    How far a channel may be taught: the product of :func:`shrunken` of the mean of each list of differences over users.

    For the ids give ``teacher - channel of the plain model``; for a modality that and ``(ids teacher with this teacher) - (two ids
    teachers)``, each the metric of every user of one half of validation.
    """
    found = 1.0
    for difference in differences:
        values = torch.as_tensor(difference, dtype=torch.float64)
        error = float(values.std() / math.sqrt(len(values))) if len(values) > 1 else math.nan
        found *= shrunken(float(values.mean()), error)
    return found


@dataclass
class RobustMargins:
    """The margins of one step; channels are the ids first, then the modalities in the order of the teachers."""

    full: Tensor
    """Of the whole model, with gradients."""
    channels: Tensor
    """Of the ids and of each channel, with gradients."""
    without: Tensor
    """Without each modality."""
    teachers: Tensor
    """Of the teacher of the ids and of each modality's."""
    silenced: Tensor
    """Of each modality's teacher with that modality silenced."""
    generic: Tensor | None = None
    """Of the channels on the generic triples, with gradients."""
    teacher_generic: Tensor | None = None
    """Of the teachers on the generic triples."""


class RobustWeigher:
    """
    ``lambda_k = G_k f_k r_k (1 - u_k)`` of each channel, step after step; see ``docs/ckd.md`` for each factor.

    Parameters
    ----------
    gates : list of float
        How far each channel may be taught, ids first; see :func:`gate`.
    goals : list of float
        The metric of each teacher.
    """

    def __init__(self, gates: Sequence[float], goals: Sequence[float]) -> None:
        if len(gates) != len(goals) or len(gates) < 2:
            raise ValueError(f"{len(gates)} gates and {len(goals)} goals, expected one each for the ids and every modality")
        self.gates = torch.tensor(list(gates), dtype=torch.float64)
        self.goals = torch.tensor(list(goals), dtype=torch.float64)
        self.fade = torch.ones_like(self.gates)
        self.averages: Tensor | None = None

    @staticmethod
    def observed(margins: RobustMargins) -> Tensor:
        """``gamma``, ``tau`` and the squared standard error of ``tau`` of each channel, in three rows."""
        nats = {
            name: softplus(-getattr(margins, name).detach().double())
            for name in ("full", "channels", "without", "teachers", "silenced")
        }
        ids = nats["channels"][0].mean()
        first = ids - nats["channels"][1:].mean(dim=1)
        last = nats["without"].mean(dim=1) - nats["full"].mean()
        gamma = torch.cat([(math.log(2.0) - ids).reshape(1), 0.5 * first + 0.5 * last])
        gain = torch.cat([math.log(2.0) - nats["teachers"][:1], nats["silenced"] - nats["teachers"][1:]])
        variance = gain.var(dim=1) / gain.shape[1] if gain.shape[1] > 1 else torch.zeros_like(gamma)
        return torch.stack([gamma, gain.mean(dim=1), variance])

    def weigh(self, now: Tensor) -> tuple[Tensor, Tensor]:
        """The weights after another step, and the utilisation of each channel."""
        if self.averages is None:
            self.averages = now
        else:
            blended = DECAY * self.averages + (1 - DECAY) * now
            # Steps are independent, so variances add up.
            blended[2] = DECAY**2 * self.averages[2] + (1 - DECAY) ** 2 * now[2]
            self.averages = blended
        gamma, tau, variance = self.averages
        reliable = torch.tensor(
            [shrunken(float(t), math.sqrt(float(v))) for t, v in zip(tau, variance, strict=True)], dtype=torch.float64
        )
        used = torch.where(tau > 0, (gamma / tau).clamp(0, 1), torch.ones_like(tau))
        return self.gates * self.fade * reliable * (1 - used), used

    def evaluated(self, channels: Sequence[float]) -> None:
        """Take the metric of each channel in an evaluation: teaching fades as channels reach their teachers."""
        lack = (self.goals - torch.tensor(list(channels), dtype=torch.float64)) / (NEAR * self.goals)
        # Without a goal there is nothing to reach.
        lack = torch.where(lack.isnan(), torch.zeros_like(lack), lack.clamp(0, 1))
        self.fade = 0.5 * self.fade + 0.5 * lack


class RobustCKD:
    """
    CKD with robust weights (``weights = "robust"`` of ``equipoise train``): the ids are a channel with a teacher of their own, what
    says nothing is not taught, and teaching ends where channels are as good as their teachers.

    Parameters
    ----------
    ids : Teacher
        The same backbone trained with every modality silenced.
    teachers : mapping of str to Teacher
        One teacher for each modality.
    silenced : mapping of str to Teacher
        The same teachers with their own modality silenced as well.
    gates, goals : mapping of str to float
        For ``"ids"`` and each modality: how far it may be taught (see :func:`gate`), and its teacher's metric.
    lambda_kd, lambda_g, tau, generic_triples, generic_items, specific, generic_log
        As of :class:`CKD`.
    """

    def __init__(
        self,
        ids: Teacher,
        teachers: Mapping[str, Teacher],
        silenced: Mapping[str, Teacher],
        gates: Mapping[str, float],
        goals: Mapping[str, float],
        *,
        lambda_kd: float = 0.01,
        lambda_g: float = 5.0,
        tau: float = 0.1,
        generic_triples: int = 5000,
        generic_items: int | None = None,
        specific: str = "hinge",
        generic_log: str = "exact",
    ) -> None:
        self.modalities = list(teachers)
        names = ["ids", *self.modalities]
        for what, given, expected in (
            ("silenced", silenced, self.modalities),
            ("gates", gates, names),
            ("goals", goals, names),
        ):
            if set(given) != set(expected):
                raise ValueError(f"{what}: {', '.join(given)}, expected {', '.join(expected)}")
        self.teachers = [ids, *teachers.values()]
        self.silenced = [silenced[name] for name in self.modalities]
        self.weigher = RobustWeigher([gates[name] for name in names], [goals[name] for name in names])
        self._teaching = Teaching(lambda_kd, lambda_g, tau, generic_triples, generic_items, specific, generic_log)

    @property
    def is_open(self) -> bool:
        """Whether there is anything to be taught; otherwise train the plain model."""
        return self._teaching.lambda_kd > 0 and bool((self.weigher.gates > 0).any())

    def draw_generic(self, users: int, items: int, generator: torch.Generator | None = None) -> Tensor | None:
        """As :meth:`CKD.draw_generic`."""
        return self._teaching.draw(users, items, generator)

    def margins(self, backbone: Backbone, triples: Tensor, generic: Tensor | None = None) -> RobustMargins:
        """As :meth:`CKD.margins`."""
        encoded, names = Encoded(backbone), self.modalities
        channels = [ids_only(names), *(only(name, names) for name in names)]
        found = RobustMargins(
            full=encoded.margins(FULL, triples),
            channels=torch.stack([encoded.margins(channel, triples) for channel in channels]),
            without=torch.stack([encoded.margins(without(name), triples, constant=True) for name in names]),
            teachers=torch.stack([teacher.margins(triples) for teacher in self.teachers]),
            silenced=torch.stack([teacher.margins(triples) for teacher in self.silenced]),
        )
        if generic is not None:
            found.generic = torch.stack([encoded.margins(channel, generic) for channel in channels])
            found.teacher_generic = torch.stack([teacher.margins(generic) for teacher in self.teachers])
        return found

    def loss(self, margins: RobustMargins) -> Taught:
        """``lambda_kd * sum over channels of lambda_k (mean specific + lambda_g mean generic)``; rows are the ids first."""
        seen = self.weigher.observed(margins)
        weight, used = self.weigher.weigh(seen)
        teaching = self._teaching
        specific = teaching.specific_loss(margins.channels, margins.teachers).mean(dim=1)
        generic = teaching.generic_loss(margins.generic, margins.teacher_generic)
        total = specific if generic is None else specific + teaching.lambda_g * generic
        averages = self.weigher.averages
        assert averages is not None
        return Taught(
            loss=teaching.lambda_kd * (weight.to(total) * total).sum(),
            specific=specific.detach(),
            generic=None if generic is None else generic.detach(),
            weights=StepWeights(weight, None, used, averages[0], margins.teachers.mean(dim=1)),
        )

    def evaluated(self, channels: Mapping[str, float]) -> None:
        """Take the validation metric of the ids and of each channel."""
        self.weigher.evaluated([channels[name] for name in ["ids", *self.modalities]])

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps beside the model."""
        return {"averages": self.weigher.averages, "fade": self.weigher.fade}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.weigher.averages, self.weigher.fade = state["averages"], state["fade"]
