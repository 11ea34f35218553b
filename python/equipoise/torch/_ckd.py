"""Counterfactual knowledge distillation for any backbone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .._errors import ConfigError
from ._ablations import FULL, Ablation, only, without
from ._losses import cross_entropy, hinge, kl, margins, squared
from ._teacher import Teacher
from ._weights import StepWeights, Weigher, check_choice

Backbone = Callable[[Ablation], tuple[Tensor, Tensor]]
"""A model: the tables of users and items under an ablation."""


@dataclass
class StepMargins:
    """The margins of one step. Where there are rows, there is one per modality, in the order of the teachers."""

    full: Tensor
    """Of the whole model, one per training triple, with gradients."""
    only: Tensor
    """Of each channel, with gradients."""
    without: Tensor
    """Without each modality; read for the weights alone."""
    teacher: Tensor
    """Of each teacher."""
    generic: Tensor | None = None
    """Of each channel on the generic triples, with gradients."""
    teacher_generic: Tensor | None = None
    """Of each teacher on the generic triples."""


@dataclass
class Taught:
    """What a step of distillation came to."""

    loss: Tensor
    """The distillation loss, to be added to the ranking loss."""
    specific: Tensor
    """Mean specific loss of each modality, without gradients; under :class:`Robust` of the whole model and of its ids."""
    generic: Tensor | None
    """Mean generic loss of the same, without gradients."""
    weights: StepWeights
    """The weights, and what they follow from."""


class Encoded:
    """The tables of one step by ablation: each is computed once, those that only weights read without gradients."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self._tables: dict[Ablation, tuple[Tensor, Tensor]] = {}

    def tables(self, ablation: Ablation, *, constant: bool = False) -> tuple[Tensor, Tensor]:
        """The tables under an ablation."""
        if ablation not in self._tables:
            with torch.set_grad_enabled(torch.is_grad_enabled() and not constant):
                tables = self._backbone(ablation)
            if constant:
                return tables
            self._tables[ablation] = tables
        return self._tables[ablation]

    def margins(self, ablation: Ablation, triples: Tensor, *, constant: bool = False) -> Tensor:
        """The margins of triples under an ablation."""
        found = margins(*self.tables(ablation, constant=constant), triples)
        return found.detach() if constant else found


class CKD:
    """
    Counterfactual knowledge distillation (*Modality-Balanced Learning for Multimedia Recommendation*, ACM MM 2024).

    Each modality has a teacher that learned with every other modality silenced. In every step each channel of the model (the model
    with every other modality silenced) is pulled to its teacher's margins, most where silencing the modality changes the model's
    margin least beside its teacher's. The equations and switches are those of ``equipoise train --balance ckd``.

    Parameters
    ----------
    teachers : mapping of str to Teacher
        One teacher for each modality.
    lambda_kd : float
        Weight of all distillation; searched in 0.001 to 0.5.
    lambda_g : float
        Weight of the generic loss within it; searched in 0.1 to 5.
    tau : float
        Temperature of the generic loss.
    generic_triples : int
        Random triples per step that :meth:`draw_generic` draws.
    generic_items : int, optional
        Items that a step's random triples are drawn from, anew in each step; all of them by default.
    specific : {"hinge", "kl", "mse"}
        Loss on training triples.
    generic_log : {"exact", "released"}
        Logarithms of the generic loss.
    weights : {"paper", "released", "uniform"}
        Named combination of the following switches. Robust weights are a class of their own, :class:`Robust`.
    sum : {"one", "modalities", "printed"}, optional
        What the weights sum to.
    level : {"batch", "triple"}, optional
        Where the ratio is taken.
    denominator : {"teacher", "student"}, optional
        What the effect is compared with.
    guard : {"floored", "raw"}, optional
        What keeps the ratio sane. With ``floored`` a teacher whose mean margin is not positive teaches nothing.
    shape : {"complement", "inverse"}
        How weights follow from ratios.
    smooth : float
        Decay of averages of batch ratios across steps, 0 for none.

    Examples
    --------
    >>> import torch
    >>> from equipoise.torch import CKD, Teacher, bpr
    >>> _ = torch.manual_seed(0)
    >>> ids, items = torch.randn(4, 3, requires_grad=True), torch.randn(5, 3)
    >>> def backbone(silenced):
    ...     return ids, items * (0.5 if "image" in silenced else 1.0)
    >>> ckd = CKD({"image": Teacher(torch.randn(4, 2), torch.randn(5, 2))}, lambda_kd=0.1, generic_triples=8)
    >>> triples = torch.tensor([[0, 1, 2], [3, 4, 0]])
    >>> margins = ckd.margins(backbone, triples, ckd.draw_generic(4, 5))
    >>> taught = ckd.loss(margins)
    >>> (bpr(margins.full) + taught.loss).backward()
    >>> ids.grad.shape
    torch.Size([4, 3])
    """

    def __init__(
        self,
        teachers: Mapping[str, Teacher],
        *,
        lambda_kd: float = 0.01,
        lambda_g: float = 5.0,
        tau: float = 0.1,
        generic_triples: int = 5000,
        generic_items: int | None = None,
        specific: str = "hinge",
        generic_log: str = "exact",
        weights: str = "paper",
        sum: str | None = None,
        level: str | None = None,
        denominator: str | None = None,
        guard: str | None = None,
        shape: str = "complement",
        smooth: float = 0.0,
    ) -> None:
        if not teachers:
            raise ConfigError("teachers: none is given; expected one for each modality")
        self.teachers = dict(teachers)
        self.modalities = list(teachers)
        self._teaching = Teaching(lambda_kd, lambda_g, tau, generic_triples, generic_items, specific, generic_log)
        self._weigher = Weigher(
            weights, sum=sum, level=level, denominator=denominator, guard=guard, shape=shape, smooth=smooth
        )

    def draw_generic(self, users: int, items: int, generator: torch.Generator | None = None) -> Tensor | None:
        """Random triples of a step: a random user and two different random items each. ``None`` if none are needed."""
        return self._teaching.draw(users, items, generator)

    def margins(self, backbone: Backbone, triples: Tensor, generic: Tensor | None = None) -> StepMargins:
        """
        Everything that :meth:`loss` reads.

        Parameters
        ----------
        backbone : callable
            ``backbone(ablation) -> (users, items)``: its tables with these modalities silenced. It is called once for each ablation;
            those that only the weights read are computed without gradients. Random masks must be the same for all of a step.
        triples : Tensor of int64
            Training triples ``(user, preferred item, other item)``.
        generic : Tensor of int64, optional
            Random triples, as :meth:`draw_generic` gives them.
        """
        encoded = Encoded(backbone)
        names = self.modalities
        channels = [only(name, names) for name in names]
        found = StepMargins(
            full=encoded.margins(FULL, triples),
            only=torch.stack([encoded.margins(channel, triples) for channel in channels]),
            without=torch.stack([encoded.margins(without(name), triples, constant=True) for name in names]),
            teacher=torch.stack([teacher.margins(triples) for teacher in self.teachers.values()]),
        )
        if generic is not None:
            found.generic = torch.stack([encoded.margins(channel, generic) for channel in channels])
            found.teacher_generic = torch.stack([teacher.margins(generic) for teacher in self.teachers.values()])
        return found

    def loss(self, margins: StepMargins) -> Taught:
        """
        ``lambda_kd * sum over m of lambda_m (mean specific + lambda_g mean generic)``. Weights are constants to the gradient.
        """
        weights = self._weigher.weigh(margins.full, margins.only, margins.without, margins.teacher)
        teaching = self._teaching
        specific = teaching.specific_loss(margins.only, margins.teacher)
        per_triple = weights.weight[:, None] if weights.per_triple is None else weights.per_triple
        total = (specific * per_triple.to(specific)).mean(dim=1)
        generic = teaching.generic_loss(margins.generic, margins.teacher_generic)
        if generic is not None:
            total = total + teaching.lambda_g * weights.weight.to(generic) * generic
        return Taught(
            loss=teaching.lambda_kd * total.sum(),
            specific=specific.detach().mean(dim=1),
            generic=None if generic is None else generic.detach(),
            weights=weights,
        )

    def instead(self) -> dict[str, Tensor] | None:
        """``None``: the taught model is kept, whatever became of it."""
        return None

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps beside the model."""
        return self._weigher.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._weigher.load_state_dict(state)


@dataclass
class Teaching:
    """How teachers teach: the losses and their strengths."""

    lambda_kd: float
    lambda_g: float
    tau: float
    generic_triples: int
    generic_items: int | None
    specific: str
    generic_log: str

    def __post_init__(self) -> None:
        check_choice("specific", self.specific)
        check_choice("generic_log", self.generic_log)
        for name in ("lambda_kd", "lambda_g"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name} = {getattr(self, name)}, expected 0 or more")
        if not self.tau > 0:
            raise ConfigError(f"tau = {self.tau}, expected more than 0")
        if self.generic_triples < 1 or (self.generic_items is not None and self.generic_items < 2):
            raise ConfigError("generic_triples and generic_items: expected at least 1 triple and 2 items")

    def draw(self, users: int, items: int, generator: torch.Generator | None) -> Tensor | None:
        """Random triples."""
        if self.lambda_kd == 0 or self.lambda_g == 0:
            return None
        count = self.generic_triples
        pool = None
        if self.generic_items is not None and self.generic_items < items:
            pool = torch.randperm(items, generator=generator)[: self.generic_items]
        size = items if pool is None else len(pool)
        u = torch.randint(users, (count,), generator=generator)
        i = torch.randint(size, (count,), generator=generator)
        # Another item than the first, each alike.
        j = (i + torch.randint(1, size, (count,), generator=generator)) % size
        return torch.stack([u, i, j] if pool is None else [u, pool[i], pool[j]], dim=1)

    def specific_loss(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Per triple."""
        if self.specific == "hinge":
            return hinge(student, teacher)
        return squared(student, teacher) if self.specific == "mse" else kl(student, teacher, self.tau)

    def generic_loss(self, student: Tensor | None, teacher: Tensor | None) -> Tensor | None:
        """Mean over generic triples."""
        if student is None or teacher is None:
            return None
        return cross_entropy(student, teacher, self.tau, self.generic_log).mean(dim=-1)
