"""Distillation from one sum of all teachers, in which content that says nothing has no weight (``weights = "robust"``)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .. import _engine
from .._errors import ConfigError, DataError
from .._dataset import Dataset
from .._evaluate import evaluate
from ._ablations import FULL, Ablation, ids_only, only
from ._ckd import Backbone, Encoded, Taught, Teaching
from ._fit import frozen, trained
from ._teacher import Teacher
from ._weights import StepWeights

NEGATIVES, DRAWS = 20, 100

Pairs = tuple[np.ndarray, np.ndarray]


@dataclass
class AllTeachers:
    """What robust weights start from. :func:`train_all_teachers` makes it."""

    modalities: dict[str, Teacher]
    """Of each modality: the backbone trained with every other one silenced."""
    silenced: dict[str, Teacher]
    """The same backbones with every modality silenced: what they know of ids."""
    ids: tuple[Teacher, Teacher]
    """Two backbones trained with every modality silenced, from different random numbers."""
    plain: Teacher
    """The whole backbone trained without a balancer."""
    parameters: dict[str, Tensor] | None = None
    """Its parameters: :func:`fit` keeps the plain model where the taught one is worse on validation. ``None`` never keeps it."""


@dataclass
class Stack:
    """Weights of what the teachers say, and what they are worth on interactions that none of them has seen."""

    ids: Tensor
    """Of the two teachers of ids."""
    silenced: Tensor
    """Of each modality's teacher with the modality silenced."""
    content: Tensor
    """Of the content of each modality, 0 where it adds nothing."""
    gains: list[tuple[float, float]]
    """What the content of each modality is worth beside everything else, in nats: mean over users and standard error."""
    worth: tuple[float, float]
    """What the sum is worth beside the plain model, in nats: mean over users and standard error."""


@dataclass
class RobustMargins:
    """The margins of one step. Everything but ``full`` is ``None`` where nothing is taught."""

    full: Tensor
    """Of the whole model, one per training triple, with gradients."""
    ids: Tensor | None = None
    """With every modality silenced, with gradients."""
    wanted: Tensor | None = None
    """Targets of the whole model."""
    wanted_ids: Tensor | None = None
    """Targets with every modality silenced."""
    contents: Tensor | None = None
    """What the content of each modality adds to its teacher's margins."""
    generic: tuple[Tensor, Tensor, Tensor, Tensor] | None = None
    """On the generic triples: margins, those with every modality silenced, and the targets of both."""


class Robust:
    """
    Distillation from one sum of all teachers: ids are taught as ids, and a content only as far as no other input has it.

    Weights and gate are those of ``equipoise train --balance ckd --set balance.ckd.weights=robust``: they are measured once, here,
    on one half of the users of validation. Where the gate is 0, nothing is taught. Where the taught model is worse on validation than
    the plain one, :func:`fit` keeps that.

    Parameters
    ----------
    teachers : AllTeachers
        As :func:`train_all_teachers` gives them.
    data : Dataset
        Its validation part weighs the teachers; its test part is not read.
    lambda_kd, lambda_g, tau, generic_triples, generic_items, specific, generic_log
        As in :class:`CKD`.
    metric : str
        The metric that selects models, by which the sum has to be better than the plain model.
    seed : int
        Seed of the half and of the items that held-out interactions are compared with.
    """

    def __init__(
        self,
        teachers: AllTeachers,
        data: Dataset,
        *,
        lambda_kd: float = 0.01,
        lambda_g: float = 5.0,
        tau: float = 0.1,
        generic_triples: int = 5000,
        generic_items: int | None = None,
        specific: str = "hinge",
        generic_log: str = "exact",
        metric: str = "recall@20",
        seed: int = 0,
    ) -> None:
        if not teachers.modalities or set(teachers.modalities) != set(teachers.silenced):
            raise ConfigError("teachers: expected one for each modality, and the same with the modality silenced")
        self.teachers, self.modalities = teachers, list(teachers.modalities)
        self._teaching = Teaching(lambda_kd, lambda_g, tau, generic_triples, generic_items, specific, generic_log)
        random = np.random.default_rng(seed)
        measured = _half(data.indices("validation"), random)
        triples = _held_out(data, measured, random)
        self.stack = self._stacked(triples)
        self.gate = self._gate(data, measured, metric)

    @property
    def is_open(self) -> bool:
        """Whether anything is taught."""
        return self.gate > 0 and self._teaching.lambda_kd > 0

    def draw_generic(self, users: int, items: int, generator: torch.Generator | None = None) -> Tensor | None:
        """Random triples of a step: a random user and two different random items each. ``None`` if none are needed."""
        return self._teaching.draw(users, items, generator) if self.is_open else None

    def margins(self, backbone: Backbone, triples: Tensor, generic: Tensor | None = None) -> RobustMargins:
        """
        Everything that :meth:`loss` reads.

        Parameters
        ----------
        backbone : callable
            ``backbone(ablation) -> (users, items)``. It is called with nothing silenced and with everything silenced.
        triples, generic
            As in :meth:`CKD.margins`.
        """
        encoded, none = Encoded(backbone), ids_only(self.modalities)
        found = RobustMargins(full=encoded.margins(FULL, triples))
        if not self.is_open:
            return found
        found.ids = encoded.margins(none, triples)
        found.contents = self._contents(triples)
        found.wanted_ids, found.wanted = self._targets(triples, found.contents)
        if generic is not None:
            wanted_ids, wanted = self._targets(generic, self._contents(generic))
            found.generic = encoded.margins(FULL, generic), encoded.margins(none, generic), wanted, wanted_ids
        return found

    def loss(self, margins: RobustMargins) -> Taught:
        """
        ``lambda_kd G (L(E, s) + L(E0, s0))`` with ``L`` the mean specific loss plus ``lambda_g`` times the mean generic one. The
        losses of :class:`Taught` are those of the whole model and of its ids; its weights are those of contents.
        """
        n, zero = len(self.modalities), margins.full.new_zeros(())
        if margins.ids is None or margins.wanted is None or margins.wanted_ids is None or margins.contents is None:
            nothing = torch.zeros(n, dtype=torch.float64)
            return Taught(zero, torch.zeros(2), None, StepWeights(nothing, None, None, None, nothing))
        teaching = self._teaching
        pairs = ((margins.full, margins.wanted), (margins.ids, margins.wanted_ids))
        specific = torch.stack([teaching.specific_loss(student, wanted).mean() for student, wanted in pairs])
        total, generic = specific, None
        if margins.generic is not None:
            full, ids, wanted, wanted_ids = margins.generic
            generic = teaching.generic_loss(torch.stack([full, ids]), torch.stack([wanted, wanted_ids]))
            total = specific if generic is None else specific + teaching.lambda_g * generic
        weight = self.gate * self.stack.content
        return Taught(
            loss=teaching.lambda_kd * self.gate * total.sum(),
            specific=specific.detach(),
            generic=None if generic is None else generic.detach(),
            weights=StepWeights(weight, None, None, None, margins.contents.double().mean(dim=1)),
        )

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps beside the model: nothing, for weights and gate do not change."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""

    def instead(self) -> dict[str, Tensor] | None:
        """Parameters of the plain model, if anything is taught. A run that teaches nothing is a plain one already."""
        return self.teachers.parameters if self.is_open else None

    def _contents(self, triples: Tensor) -> Tensor:
        given = self.teachers
        return torch.stack([given.modalities[m].margins(triples) - given.silenced[m].margins(triples) for m in self.modalities])

    def _of_ids(self, triples: Tensor) -> Tensor:
        silenced = [self.teachers.silenced[m] for m in self.modalities]
        return torch.stack([teacher.margins(triples) for teacher in [*self.teachers.ids, *silenced]])

    def _targets(self, triples: Tensor, contents: Tensor) -> tuple[Tensor, Tensor]:
        """What all teachers know of ids, and that with contents."""
        of_ids = torch.cat([self.stack.ids, self.stack.silenced]) @ self._of_ids(triples).double()
        return of_ids.to(contents), (of_ids + self.stack.content @ contents.double()).to(contents)

    def _stacked(self, triples: Tensor) -> Stack:
        """The fitted weights, times one number by which the sum's margins are as large as the plain model's."""
        components = torch.cat([self._of_ids(triples), self._contents(triples)]).double().numpy()
        plain = self.teachers.plain.margins(triples).double().numpy()
        users = triples[:, 0].numpy().astype(np.uint32)
        ids, silenced, content, gains, worth = _engine.stack(np.ascontiguousarray(components), users, plain)
        spread = _size(np.array([*ids, *silenced, *content]) @ components)
        factor = _size(plain) / spread if spread > 0 else 1.0

        def scaled(weights: list[float]) -> Tensor:
            return torch.tensor(weights, dtype=torch.float64) * factor

        return Stack(scaled(ids), scaled(silenced), scaled(content), gains, worth)

    def _gate(self, data: Dataset, measured: Pairs, metric: str) -> float:
        """How far teaching is open, 0 to 1: the surer of what metric and loss say where the sum has the better metric."""
        name, k = metric.split("@")

        def of(teacher: Teacher) -> np.ndarray:
            found = evaluate(teacher.users, teacher.items, train=data, test=measured, k=int(k), metrics=[name])
            return np.array(found.per_user.to_dict()[metric])

        together = self._together()
        if together is None:
            return 0.0
        mean, error = _engine.gain(of(together), of(self.teachers.plain))
        return max(_engine.shrunken(mean, error), _engine.shrunken(*self.stack.worth)) if mean > 0 else 0.0

    def _together(self) -> Teacher | None:
        """Tables whose scores are the weighted sum; ``None`` if nothing has a weight."""
        given, stack = self.teachers, self.stack
        parts = list(zip(given.ids, stack.ids.tolist()))
        # A content is what a teacher scores less what it scores with its modality silenced.
        parts += zip((given.silenced[m] for m in self.modalities), (stack.silenced - stack.content).tolist())
        parts += zip((given.modalities[m] for m in self.modalities), stack.content.tolist())
        kept = [(teacher, weight) for teacher, weight in parts if weight != 0]
        if not kept:
            return None
        users = torch.cat([weight * teacher.users for teacher, weight in kept], dim=1)
        return Teacher(users.contiguous(), torch.cat([teacher.items for teacher, _ in kept], dim=1).contiguous())


def train_all_teachers(make: Callable[[], nn.Module], data: Dataset, *, seed: int = 0, **settings: Any) -> AllTeachers:
    """
    The teachers that :class:`Robust` starts from: one for each modality, two of the ids, and the plain model.

    Parameters
    ----------
    make : callable
        Makes a fresh backbone.
    data : Dataset
        What to train on.
    seed : int
        Seed of the triples; the second teacher of ids has the next one.
    **settings
        Of :func:`fit`.
    """
    names = list(data.modalities)
    none = ids_only(names)

    def learned(ablation: Ablation, seed: int = seed) -> nn.Module:
        return trained(make, data, ablation, seed=seed, **settings)

    modalities, silenced = {}, {}
    for name in names:
        teacher = learned(only(name, names))
        modalities[name], silenced[name] = frozen(teacher, only(name, names)), frozen(teacher, none)
    first, second = (frozen(learned(none, seed + k), none) for k in range(2))
    plain = learned(FULL)
    return AllTeachers(modalities, silenced, (first, second), frozen(plain, FULL), copy.deepcopy(plain.state_dict()))


def _half(validation: Pairs, random: np.random.Generator) -> Pairs:
    """What half of the users took."""
    users, items = validation
    names = np.unique(users)
    if len(names) < 4:
        raise DataError("validation has fewer than four users; robust weights need one half of them to weigh the teachers")
    chosen = np.isin(users, random.permutation(names)[: len(names) // 2])
    return users[chosen], items[chosen]


def _held_out(data: Dataset, measured: Pairs, random: np.random.Generator) -> Tensor:
    """Each held-out interaction against items that the user chose neither in train nor there; the triples of a user together."""
    pairs = [part.astype(np.int64) for part in measured]
    order = np.argsort(pairs[0], kind="stable")
    users, items = (np.repeat(part[order], NEGATIVES) for part in pairs)
    train = [part.astype(np.int64) for part in data.indices("train")]
    chosen = np.unique(np.concatenate([u * data.n_items + i for u, i in (train, pairs)]))
    others = random.integers(data.n_items, size=len(users))
    for _ in range(DRAWS):
        again = np.isin(users * data.n_items + others, chosen)
        if not again.any():
            break
        others[again] = random.integers(data.n_items, size=int(again.sum()))
    # Whoever has chosen everything has nothing to compare with.
    left = ~np.isin(users * data.n_items + others, chosen)
    if not left.any():
        raise DataError("no user of validation has items left to compare held-out ones with")
    return torch.from_numpy(np.stack([users, items, others], axis=1)[left])


def _size(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
