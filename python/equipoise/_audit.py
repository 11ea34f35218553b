"""Which modality is under-used."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import _engine
from ._errors import DataError, ModelError
from ._evaluate import evaluate, pairs
from ._model import Model


class Verdict(NamedTuple):
    """A judgement of one modality."""

    modality: str
    """Name of the modality."""
    verdict: str
    """The judgement in a word or two."""
    sentence: str
    """The same in a sentence, with the numbers that led to it."""


class Audit:
    """The imbalance report of a model. A notebook shows it as a page with charts."""

    def __init__(self, engine: _engine.ImbalanceAudit) -> None:
        self._engine = engine

    @property
    def headline(self) -> str:
        """A few sentences about the whole model."""
        return self._engine.headline()

    @property
    def verdicts(self) -> list[Verdict]:
        """One judgement for each modality."""
        return [Verdict(*verdict) for verdict in self._engine.verdicts()]

    @property
    def numbers(self) -> dict[str, Any]:
        """Everything that the report is made of."""
        return json.loads(self._engine.json())

    def text(self) -> str:
        """The report as an aligned table."""
        return self._engine.text()

    def html(self) -> str:
        """The report as one self-contained page."""
        return self._engine.html()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file, whole or not at all."""
        self._engine.write_html(Path(path))

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        # A frame of its own: the page's style stays within it.
        page = html.escape(self.html(), quote=True)
        return f'<iframe srcdoc="{page}" style="width:100%;height:36rem;border:0" title="imbalance report"></iframe>'


def audit(model: Model, against: Model | None = None) -> Audit:
    """
    Which modality is under-used, from what the run of a model measured.

    Parameters
    ----------
    model : Model
        A model that was trained here, or loaded from its run.
    against : Model, optional
        The plain model on the same data.

    Returns
    -------
    Audit

    Raises
    ------
    ModelError
        If the model has no run of its own, or the two are not of the same data.
    """
    for given in (model,) if against is None else (model, against):
        if not isinstance(given, Model):
            raise ModelError(f"{type(given).__name__}, expected a Model: train(...), or load(dir) of a run")
    return Audit(model._training().audit(None if against is None else against._training()))


Tables = tuple[Any, Any]
"""Tables of users and items."""


def audit_embeddings(
    tables: Mapping[str, Tables],
    *,
    train: Any,
    test: Any,
    teachers: Mapping[str, Tables] | None = None,
    silenced_teachers: Mapping[str, Tables] | None = None,
    metric: str = "recall@20",
    name: str = "model",
    backbone: str = "embeddings",
    dataset: str = "data",
    threads: int | None = None,
) -> Audit:
    """
    The imbalance report of any model, from its tables under each ablation.

    A modality is *silenced* where every item's features of it, and every user's preference for it, are replaced by their means
    before the forward pass; :func:`equipoise.torch.mean_ablated` does that.

    Parameters
    ----------
    tables : mapping of str to (users, items)
        ``"full"``; ``"only:<modality>"`` for each modality, every other one silenced; ``"without:<modality>"`` (of two modalities it
        is the other's ``only``); ``"ids"``, everything silenced. ``without`` and ``ids`` may be left out where they follow.
    train, test : interactions
        As of :func:`evaluate`.
    teachers : mapping of str to (users, items), optional
        For each modality the tables of the same backbone trained with it alone.
    silenced_teachers : mapping of str to (users, items), optional
        The same with that modality silenced too: what a teacher knows from ids.
    metric : str
        ``recall@k``, ``precision@k``, ``ndcg@k`` or ``hit@k``.
    name, backbone, dataset : str
        What the report calls them.
    threads : int, optional
        Size of the thread pool.

    Returns
    -------
    Audit

    Raises
    ------
    DataError
        If tables are missing or do not fit each other.

    Examples
    --------
    >>> import equipoise as eq, numpy as np
    >>> rng = np.random.default_rng(0)
    >>> full, image, ids = [(rng.normal(size=(30, 4)), rng.normal(size=(40, 4))) for _ in range(3)]
    >>> train, test = [[u % 40] for u in range(30)], [[(u + 1) % 40] for u in range(30)]
    >>> report = eq.audit_embeddings({"full": full, "only:image": image, "ids": ids}, train=train, test=test, metric="recall@5")
    >>> [verdict.modality for verdict in report.verdicts]
    ['image']
    """
    names = [key.removeprefix("only:") for key in tables if key.startswith("only:")]
    known = _complete(tables, names)
    _check_teachers(names, teachers, silenced_teachers)
    measured = _Measured(_size(known["full"]), train, test, metric, threads)
    found = {key: measured.of(pair, key) for key, pair in known.items()}
    whole, ids = found["full"], found.get("ids")
    popularity = measured.popularity()
    modalities = []
    for modality in names:
        channel, rest = found[f"only:{modality}"], found.get(f"without:{modality}")
        teacher, silenced = (
            measured.of(given[modality], f"teacher {modality}") if given and modality in given else None
            for given in (teachers, silenced_teachers)
        )
        modalities.append(
            {
                "name": modality,
                "width": 0,
                "channel": channel.mean,
                "without": None if rest is None else rest.mean,
                "teacher": None if teacher is None else teacher.mean,
                "teacher_ids_only": None if silenced is None else silenced.mean,
                "errors": {
                    "shortfall": _error(teacher, channel),
                    "content": _error(teacher, silenced),
                    "removal": _error(whole, rest),
                    "ids": _error(channel, ids),
                    "whole": _error(whole, channel),
                },
                "weight": None,
                "rho": None,
                "effect": None,
            }
        )
    users, items = measured.size
    report = {
        "run": name,
        "dataset": dataset,
        "backbone": backbone,
        "balance": "none",
        "seed": 0,
        "metric": metric,
        "split": "test",
        "users": users,
        "items": items,
        "interactions": measured.interactions,
        "evaluated_users": len(whole.values),
        "whole": whole.mean,
        "ids_only": None if ids is None else ids.mean,
        "ids_only_error": _error(whole, ids),
        "popularity": popularity,
        "modalities": modalities,
        "history": [],
        "teacher_history": [],
        "plain": None,
        "metrics": sorted(measured.metrics.items()),
        "definitions": sorted(measured.definitions.items()),
        "config_toml": "",
        "version": _engine.__version__,
    }
    return Audit(_engine.ImbalanceAudit.from_json(json.dumps(report)))


class _Values(NamedTuple):
    """A metric of each evaluated user, and its mean."""

    values: np.ndarray
    mean: float


class _Measured:
    """Measures tables by one metric on one pair of splits."""

    def __init__(self, size: tuple[int, int], train: Any, test: Any, metric: str, threads: int | None) -> None:
        self._train, self._test, self._threads = pairs(train, "train", size), pairs(test, "test", size), threads
        self.size = size
        self._metric = metric
        kind, found, k = metric.partition("@")
        if not found or not k.isdigit():
            raise DataError(f"metric = {metric!r:.100}, expected a name and a cut-off, such as recall@20")
        self._kind, self._k = kind, int(k)
        self.interactions = len(self._train[0]) + len(self._test[0])
        self.metrics: dict[str, float] = {}
        self.definitions: dict[str, str] = {}

    def of(self, tables: Tables, what: str) -> _Values:
        """The metric of each user."""
        size, full = _size(tables), self.size
        if size != full:
            raise DataError(f"{what}: {size[0]} users and {size[1]} items, expected {full[0]} and {full[1]} as of full")
        found = evaluate(
            *tables, train=self._train, test=self._test, k=self._k, metrics=[self._kind], threads=self._threads
        )
        if not self.metrics:
            self.metrics, self.definitions = found.metrics, found.definitions
        return _Values(np.array(found.per_user.to_dict()[self._metric]), found[self._metric])

    def popularity(self) -> float:
        """The metric of recommending what most have met."""
        users, items = self.size
        counts = np.bincount(self._train[1], minlength=items).astype(np.float32).reshape(-1, 1)
        return self.of((np.ones((users, 1), np.float32), counts), "popularity").mean


def _size(tables: Tables) -> tuple[int, int]:
    """Numbers of users and items."""
    return int(np.shape(tables[0])[0]), int(np.shape(tables[1])[0])


def _check_teachers(names: list[str], *given: Mapping[str, Tables] | None) -> None:
    """Teachers of modalities that there are."""
    for teachers in given:
        strange = [name for name in teachers or () if name not in names]
        if strange:
            raise DataError(f"teachers: {strange[0]!r:.100} is no modality of the tables, only {', '.join(names)}")


def _complete(tables: Mapping[str, Tables], names: list[str]) -> dict[str, Tables]:
    """The tables with those that follow from others."""
    known = dict(tables)
    if "full" not in known or not names:
        raise DataError(f"tables: {', '.join(tables) or 'none'}; expected full, and only:<modality> for each modality")
    allowed = {"full", "ids", *(f"{kind}:{name}" for kind in ("only", "without") for name in names)}
    strange = [key for key in known if key not in allowed]
    if strange:
        raise DataError(f"tables: {strange[0]!r:.100}, expected full, ids, only:<modality>, without:<modality>")
    for key, pair in known.items():
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or any(np.ndim(table) != 2 for table in pair):
            raise DataError(f"tables: {key!r:.100} is no pair of matrices; expected (users, items)")
    if len(names) == 2:
        first, second = names
        known.setdefault(f"without:{first}", known[f"only:{second}"])
        known.setdefault(f"without:{second}", known[f"only:{first}"])
    if len(names) == 1 and "ids" in known:
        known.setdefault(f"without:{names[0]}", known["ids"])
    missing = [name for name in names if f"without:{name}" not in known]
    if missing:
        raise DataError(f"tables: without:{missing[0]} is missing; give the tables with that modality alone silenced")
    return known


def _error(a: _Values | None, b: _Values | None) -> float | None:
    """Standard error of the mean difference, paired over users."""
    if a is None or b is None or len(a.values) < 2:
        return None
    return float(np.std(a.values - b.values, ddof=1) / np.sqrt(len(a.values)))
