"""A plain training loop, for teachers and for whoever has none of their own."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from .._dataset import Dataset
from .._errors import ConfigError, DataError
from .._evaluate import evaluate
from ._ablations import FULL, Ablation, only
from ._ckd import Backbone, Taught
from ._losses import bpr, margins, penalty
from ._teacher import Teacher


class Distillation(Protocol):
    """What :func:`fit` asks of :class:`CKD` and of :class:`Robust`."""

    def draw_generic(self, users: int, items: int, generator: torch.Generator | None = None) -> Tensor | None:
        """Random triples of a step."""

    def margins(self, backbone: Backbone, triples: Tensor, generic: Tensor | None = None) -> Any:
        """Everything that the loss reads; ``full`` are the margins of the whole model."""

    def loss(self, margins: Any) -> Taught:
        """The loss beside the ranking loss."""

    def instead(self) -> dict[str, Tensor] | None:
        """Parameters of the plain model, which is kept where the taught one is worse on validation. ``None`` if there are none."""


class Triples:
    """
    BPR triples: a user with train items, one of them, and an item that the user has not met in train.

    Parameters
    ----------
    data : Dataset
        Its train interactions.
    generator : torch.Generator
        Where random numbers come from.
    uniform : {"users", "interactions"}
        What a batch is uniform over.
    """

    def __init__(self, data: Dataset, generator: torch.Generator, uniform: str = "users") -> None:
        if not isinstance(data, Dataset):
            raise ConfigError(f"data: {type(data).__name__}, expected a Dataset")
        users, items = (torch.from_numpy(part.astype(np.int64)) for part in data.indices("train"))
        self.n_items, self._generator, self._by_users = data.n_items, generator, uniform == "users"
        counts = torch.bincount(users, minlength=data.n_users)
        self._users, self._items = users, items
        self._start = torch.cat([torch.zeros(1, dtype=torch.int64), counts.cumsum(0)[:-1]])
        self._count = counts
        # Whoever has every item has none that could be preferred to.
        self._usable = torch.nonzero((counts > 0) & (counts < data.n_items)).flatten()
        self._keys = users * data.n_items + items
        if len(self._usable) == 0:
            raise DataError("no user has train items and items left to compare them with")

    @property
    def interactions(self) -> int:
        """Number of train interactions."""
        return len(self._users)

    def draw(self, count: int) -> Tensor:
        """So many triples, one row each."""
        if count < 1:
            raise ConfigError(f"count = {count}, expected at least 1")
        random = self._generator
        if self._by_users:
            u = self._usable[torch.randint(len(self._usable), (count,), generator=random)]
            i = self._items[self._start[u] + (torch.rand(count, generator=random) * self._count[u]).long()]
        else:
            rows = torch.randint(self.interactions, (count,), generator=random)
            u, i = self._users[rows], self._items[rows]
        j = torch.randint(self.n_items, (count,), generator=random)
        while True:
            met = self._met(u, j)
            again = int(met.sum())
            if again == 0:
                return torch.stack([u, i, j], dim=1)
            j[met] = torch.randint(self.n_items, (again,), generator=random)

    def _met(self, users: Tensor, items: Tensor) -> Tensor:
        keys = users * self.n_items + items
        place = torch.searchsorted(self._keys, keys).clamp(max=len(self._keys) - 1)
        return self._keys[place] == keys


@dataclass
class Fitted:
    """A training that ended: its best model is in the backbone again."""

    best: float
    """The best value of the metric on validation, of the model that is kept."""
    best_epoch: int
    """Its epoch, from 1; 0 where the plain model is kept."""
    epochs: list[dict[str, Any]] = field(default_factory=list)
    """Loss and metric of each epoch, and the weights of distillation."""
    taught: float | None = None
    """Where the plain model is kept: the best value of the taught one, which is lower."""


def fit(
    backbone: nn.Module,
    data: Dataset,
    *,
    ablation: Ablation = FULL,
    balance: Distillation | None = None,
    lr: float = 5e-4,
    reg: float = 1e-5,
    batch_size: int = 1024,
    epochs: int = 1000,
    eval_every: int = 1,
    patience: int = 10,
    metric: str = "recall@20",
    seed: int = 0,
    listener: Callable[[dict[str, Any]], None] | None = None,
) -> Fitted:
    """
    Train a backbone with Adam on BPR triples, select its best epoch on validation, and leave that in it. Under :class:`Robust` the
    plain model of the teachers is left in it instead where that is better on validation.

    Parameters
    ----------
    backbone : torch.nn.Module
        Called with an ablation (a frozenset of silenced modalities), it gives its tables of users and items.
    data : Dataset
        What to train and to select on; its test part is not read.
    ablation : frozenset of str
        What is silenced throughout: all modalities but one for a teacher.
    balance : CKD or Robust, optional
        Distillation beside the ranking loss.
    lr, reg, batch_size, epochs, eval_every, patience, metric
        As ``[train]`` of a configuration file has them.
    seed : int
        Seed of the triples. Parameters are drawn where the backbone is made.
    listener : callable, optional
        Gets each epoch as a dictionary.

    Returns
    -------
    Fitted

    Raises
    ------
    ConfigError
        If a setting is out of its range, the backbone does not give tables of these users and items, the teachers are not those of
        the data's modalities, or the plain model of the teachers has other parameters than this backbone.
    """
    _check_settings(lr=lr, reg=reg, batch_size=batch_size, epochs=epochs, eval_every=eval_every, patience=patience)
    if not isinstance(backbone, nn.Module):
        raise ConfigError(f"backbone: {type(backbone).__name__}, expected a torch.nn.Module")
    _check_teachers(balance, data)
    plain = None if balance is None else balance.instead()
    if plain is not None:
        _check_alike(plain, backbone)
    random = torch.Generator().manual_seed(seed)
    triples = Triples(data, random)
    optimiser = torch.optim.Adam(backbone.parameters(), lr=lr)
    steps = max(1, -(-triples.interactions // batch_size))
    fitted, kept, waited = Fitted(0.0, 0), copy.deepcopy(backbone.state_dict()), 0
    for epoch in range(1, epochs + 1):
        backbone.train()
        total, weights = 0.0, []
        for _ in range(steps):
            loss, step_weights = _step(backbone, data, triples.draw(batch_size), ablation, balance, reg, random)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) / steps
            weights += step_weights
        record: dict[str, Any] = {"epoch": epoch, "loss": total}
        if weights:
            record["weights"] = torch.stack(weights).mean(dim=0).tolist()
        fitted.epochs.append(record)
        if epoch % eval_every and epoch != epochs:
            if listener is not None:
                listener(record)
            continue
        value = record["validation"] = validated(backbone, data, ablation, metric)
        if listener is not None:
            listener(record)
        waited += 1
        if value > fitted.best:
            fitted.best, fitted.best_epoch, waited = value, epoch, 0
            kept = copy.deepcopy(backbone.state_dict())
        if waited >= patience:
            break
    if plain is not None:
        backbone.load_state_dict(plain)
        value = validated(backbone, data, ablation, metric)
        if value > fitted.best:
            return Fitted(value, 0, fitted.epochs, taught=fitted.best)
    backbone.load_state_dict(kept)
    return fitted


def _check_alike(plain: dict[str, Tensor], backbone: nn.Module) -> None:
    """That parameters fit a backbone."""
    sizes = [{name: tuple(value.shape) for name, value in state.items()} for state in (plain, backbone.state_dict())]
    differing = sorted(name for name in sizes[0].keys() | sizes[1].keys() if sizes[0].get(name) != sizes[1].get(name))
    if differing:
        raise ConfigError(
            f"the plain model of the teachers has another {differing[0]} than this backbone, and could not be kept; give one made "
            "like the teachers, or set `parameters` of the teachers to None"
        )


def _check_settings(**settings: Any) -> None:
    """Numbers in their ranges: those that count things from 1, the others from 0."""
    for name, value in settings.items():
        if name in ("lr", "reg"):
            sound = isinstance(value, (int, float)) and bool(0 <= value < float("inf"))
            expected = "a number from 0"
        else:
            sound = isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= 1)
            expected = "a whole number from 1"
        if not sound:
            raise ConfigError(f"{name} = {value!r:.100}, expected {expected}")


def _check_teachers(balance: Distillation | None, data: Dataset) -> None:
    """A channel silences every modality but one: there has to be a teacher for each."""
    taught = getattr(balance, "modalities", None)
    if taught is not None and set(taught) != set(data.modalities):
        found, expected = ", ".join(sorted(taught)), ", ".join(sorted(data.modalities))
        raise ConfigError(f"teachers of {found}, expected one for each modality of the data: {expected}")


def _checked(tables: Any, data: Dataset) -> tuple[Tensor, Tensor]:
    """What a backbone gives, if these are tables of the users and items of the data that can be trained."""
    pair = isinstance(tables, (tuple, list)) and len(tables) == 2
    if not pair or not all(isinstance(table, Tensor) and table.ndim == 2 for table in tables):
        found = [f"{type(part).__name__} of shape {tuple(np.shape(part))}" for part in (tables if pair else [tables])]
        raise ConfigError(f"backbone: it gives {' and '.join(found)}, expected (users, items): two matrices of PyTorch")
    users, items = tables
    if (len(users), len(items)) != (data.n_users, data.n_items) or users.shape[1] != items.shape[1]:
        raise ConfigError(
            f"backbone: it gives tables of {tuple(users.shape)} and {tuple(items.shape)}, expected ({data.n_users}, width) of the "
            f"users and ({data.n_items}, width) of the items"
        )
    if torch.is_grad_enabled() and not (users.requires_grad or items.requires_grad):
        raise ConfigError("backbone: no gradient reaches its parameters; return the tables without detach() or no_grad()")
    return users, items


def _step(
    backbone: nn.Module,
    data: Dataset,
    triples: Tensor,
    ablation: Ablation,
    balance: Distillation | None,
    reg: float,
    random: torch.Generator,
) -> tuple[Tensor, list[Tensor]]:
    """The loss of one step, and the weights of distillation in it."""
    if balance is None:
        users, items = _checked(backbone(ablation), data)
        return bpr(margins(users, items, triples)) + penalty(users, items, triples, reg), []
    seen: dict[Ablation, tuple[Tensor, Tensor]] = {}

    def remembered(silenced: Ablation) -> tuple[Tensor, Tensor]:
        tables = _checked(backbone(silenced), data)
        if silenced == FULL:
            seen[FULL] = tables
        return tables

    generic = balance.draw_generic(data.n_users, data.n_items, random)
    found = balance.margins(remembered, triples, generic)
    taught = balance.loss(found)
    loss = bpr(found.full) + penalty(*seen[FULL], triples, reg) + taught.loss
    return loss, [taught.weights.weight]


def validated(backbone: nn.Module, data: Dataset, ablation: Ablation = FULL, metric: str = "recall@20") -> float:
    """A metric on validation of a backbone under an ablation."""
    name, k = metric.split("@")
    backbone.eval()
    with torch.no_grad():
        users, items = backbone(ablation)
    found = evaluate(users, items, train=data, test=data.indices("validation"), k=int(k), metrics=[name])
    return found[metric]


def measured(backbone: nn.Module, data: Dataset, ablation: Ablation = FULL, k: tuple[int, ...] = (10, 20)) -> dict[str, float]:
    """Metrics on test of a backbone under an ablation: breaks the seal, for the one evaluation after everything is chosen."""
    backbone.eval()
    with torch.no_grad():
        users, items = backbone(ablation)
    return evaluate(users, items, train=data, test=data.indices("test"), k=k).metrics


def train_teachers(make: Callable[[], nn.Module], data: Dataset, **settings: Any) -> dict[str, Teacher]:
    """
    One teacher for each modality of the data: a backbone of its own, trained with every other modality silenced, frozen.

    Parameters
    ----------
    make : callable
        Makes a fresh backbone.
    data : Dataset
        What to train on.
    **settings
        Of :func:`fit`.
    """
    names = list(data.modalities)
    channels = {name: only(name, names) for name in names}
    return {name: frozen(trained(make, data, channel, **settings), channel) for name, channel in channels.items()}


def _check_make(make: Any) -> None:
    if isinstance(make, nn.Module) or not callable(make):
        raise ConfigError(f"make: {type(make).__name__}, expected a callable that makes a fresh backbone, such as lambda: Net(data)")


def trained(make: Callable[[], nn.Module], data: Dataset, ablation: Ablation, **settings: Any) -> nn.Module:
    """A fresh backbone trained under an ablation."""
    _check_make(make)
    backbone = make()
    fit(backbone, data, ablation=ablation, **settings)
    backbone.eval()
    return backbone


def frozen(backbone: nn.Module, ablation: Ablation) -> Teacher:
    """What a trained backbone says under an ablation."""
    with torch.no_grad():
        return Teacher(*backbone(ablation))
