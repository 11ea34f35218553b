"""Trained models at work."""

from __future__ import annotations

import html
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import _arrays, _engine, _json
from ._dataset import _items, item_rows
from ._errors import DataError, ModelError
from ._table import Table


class Recommendations(Table):
    """
    Lists: one row per item with ``list`` (number of the list, from 0), ``user``, ``rank`` (from 1), ``item``, ``score``, and where
    they are known ``title`` and ``part:<name>``.
    """

    def __init__(self, answer: _engine.EngineAnswer) -> None:
        super().__init__(answer.table())
        self._answer = answer

    @property
    def answer(self) -> dict[str, Any]:
        """The whole answer as HTTP gives it: ``lists`` with ``because``, ``fallback`` and ``ignored``, and ``model``."""
        return json.loads(self._answer.json())

    @property
    def lists(self) -> list[dict[str, Any]]:
        """The lists of :attr:`answer`."""
        return self.answer["lists"]


class Explanation(dict[str, Any]):
    """Why an item is recommended: ``score``, ``rank``, ``parts``, ``without``, ``rank_without``, ``because``."""

    def _repr_html_(self) -> str:
        parts = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{value:+.4f}</td></tr>" for name, value in self["parts"].items()
        )
        named = ", ".join(html.escape(str(other.get("title") or other["id"])) for other in self.get("because", []))
        because = f"<p>because of {named}</p>" if named else ""
        title = html.escape(str(self.get("title") or self["item"]))
        return f"<table><caption>{title}: {self['score']:.4f}</caption>{parts}</table>{because}"


class Model:
    """
    A trained model. ``score(u, i)`` is the inner product of a user's row and an item's; any number of threads may ask at once.

    Made by :func:`equipoise.train` or :func:`equipoise.load`.
    """

    def __init__(self, engine: _engine.EngineModel, run: _engine.EngineRun | None = None) -> None:
        self._engine = engine
        self._run = run

    @classmethod
    def _of_run(cls, run: _engine.EngineRun) -> Model:
        return cls(run.model(), run)

    # What it is

    @property
    def users(self) -> list[str]:
        """Raw ids of the users, in the order of the rows."""
        return self._engine.ids()[0]

    @property
    def items(self) -> list[str]:
        """Raw ids of the items, in the order of the rows."""
        return self._engine.ids()[1]

    @property
    def n_users(self) -> int:
        """Number of users."""
        return self._engine.size[0]

    @property
    def n_items(self) -> int:
        """Number of items."""
        return self._engine.size[1]

    @property
    def modalities(self) -> list[str]:
        """Names of the modalities."""
        return self._engine.modalities

    # Its run

    def _training(self) -> _engine.EngineRun:
        if self._run is None:
            raise ModelError("this model has no run of its own: it was saved, extended or silenced; open the run with load(dir)")
        return self._run

    @property
    def dir(self) -> Path:
        """Directory of the run."""
        return Path(self._training().dir)

    @property
    def report(self) -> dict[str, Any]:
        """Everything that was measured, as ``metrics.json`` has it."""
        return json.loads(self._training().report())

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """The epochs of the training, from the untrained model (epoch 0) on."""
        return json.loads(self._training().epochs())

    def metric(self, name: str, *, channel: str | None = None) -> float:
        """
        A metric on test, such as ``recall@20``.

        Parameters
        ----------
        name : str
            ``recall@k``, ``precision@k``, ``ndcg@k`` or ``hit@k``.
        channel : str, optional
            A modality: the metric of its channel, the model with every other modality silenced.
        """
        run = self._training()
        return run.metric(name) if channel is None else run.channel_metric(channel, name)

    # Lists

    def recommend(
        self,
        users: Any = None,
        *,
        history: Sequence[Sequence[Any]] | None = None,
        vectors: Any = None,
        n: int = 10,
        offset: int = 0,
        exclude_seen: bool = True,
        exclude: Any = (),
        restrict: Any = None,
        filter: Mapping[str, Any] | None = None,
        modality_weights: Mapping[str, float] | None = None,
        diversity: float = 0.0,
        explain: bool = False,
        unknown: str = "error",
        threads: int | None = None,
    ) -> Recommendations:
        """
        The best items for users, strangers or rows made elsewhere. Exactly one of ``users``, ``history`` and ``vectors`` is given;
        each entry gets a list, best first.

        Parameters
        ----------
        users : list of ids, optional
            Users that the model was trained on.
        history : list of baskets, optional
            What each stranger has met: lists of item ids, or of ``(id, weight)``.
        vectors : array, optional
            Rows of a user table made elsewhere, as wide as :meth:`embeddings`.
        n, offset : int
            Length of a list, 1 to 1,000, and how many of the best items to leave out before it begins.
        exclude_seen : bool
            Whether what a user has met is left out.
        exclude, restrict : list of ids
            Items that are in no list; the only candidates.
        filter : mapping, optional
            A condition on attributes, as in requests by HTTP.
        modality_weights : mapping, optional
            Weights of modalities: 0 silences one, 1 leaves it as it was trained.
        diversity : float
            How much lists avoid items that are like one another, 0 to 1.
        explain : bool
            Whether each item comes with the parts of its score.
        unknown : {"error", "popularity"}
            What is done about ids that the model does not know.
        threads : int, optional
            Size of the thread pool.

        Returns
        -------
        Recommendations
            A table; ``.to_polars()``, ``.to_pandas()``, ``.lists``.

        Raises
        ------
        ModelError
            For an id, a modality or a value that cannot be used, with the name of its field.
        """
        request: dict[str, Any] = {
            "n": n,
            "offset": offset,
            "exclude_seen": exclude_seen,
            "exclude": _arrays.ids(exclude, "exclude"),
            "diversity": diversity,
            "explain": explain,
            "unknown": unknown,
        }
        if users is not None:
            request["users"] = _arrays.ids(users, "users")
        if history is not None:
            request["history"] = [_basket(basket, place) for place, basket in enumerate(history)]
        if vectors is not None:
            request["vectors"] = _arrays.float_matrix(vectors, "vectors").tolist()
        if restrict is not None:
            request["restrict"] = _arrays.ids(restrict, "restrict")
        if filter is not None:
            request["filter"] = dict(filter)
        if modality_weights is not None:
            request["modality_weights"] = dict(modality_weights)
        return Recommendations(self._engine.recommend(_json.text(request), threads))

    def recommend_all(self, n: int = 10, *, exclude_seen: bool = True, threads: int | None = None) -> Table:
        """
        The best ``n`` items for every user, in the order of :attr:`users`: ``user``, ``rank``, ``item``, ``score``.
        """
        return Table(self._engine.recommend_all(n, exclude_seen, threads))

    def explain(
        self,
        user: str | int | None = None,
        item: str | int | None = None,
        *,
        history: Sequence[Any] | None = None,
        modality_weights: Mapping[str, float] | None = None,
    ) -> Explanation:
        """
        Why an item is recommended to a user, or to a stranger with a basket.

        Returns
        -------
        Explanation
            ``parts`` adds up to ``score``; ``without`` and ``rank_without`` say what silencing each modality would do; ``because``
            names the items of the history that are most like this one.
        """
        if item is None:
            raise ModelError("item: none is given; expected the id of one item")
        request: dict[str, Any] = {"item": _arrays.ids([item], "item")[0]}
        if user is not None:
            request["user"] = _arrays.ids([user], "user")[0]
        if history is not None:
            request["history"] = _basket(history, 0)
        if modality_weights is not None:
            request["modality_weights"] = dict(modality_weights)
        return Explanation(json.loads(self._engine.explain(_json.text(request))))

    def similar_items(self, item: str | int, n: int = 10, *, modality: str | None = None) -> Table:
        """Items most like one, by the cosine of their rows in the whole model or in one modality: ``item``, ``score``."""
        return Table(self._engine.similar_items(_arrays.ids([item], "item")[0], n, modality))

    def similar_users(self, user: str | int, n: int = 10) -> Table:
        """Users most like one, by the cosine of their rows: ``user``, ``score``."""
        return Table(self._engine.similar_users(_arrays.ids([user], "user")[0], n))

    def score(self, user: str | int, item: str | int) -> float:
        """The score of one item for one user, with the bits that it has in a list."""
        return self._engine.score(_arrays.ids([user], "user")[0], _arrays.ids([item], "item")[0])

    # Other models of it

    def with_items(self, items: Any, *, quiet: bool = False, **features: Any) -> Model:
        """
        The same model with more items, which nobody has met, from their features alone.

        Parameters
        ----------
        items : list of ids or table
            New items; a table may say what they are, as in :meth:`Dataset.from_frames`.
        quiet : bool
            Do not print what was missing.
        **features : array
            For each modality one row per item, made as those of the training were; one vector for a single item.

        Raises
        ------
        ModelError
            If the model reads no features, or an item is known already.
        """
        listed = _items(items, None)
        given = []
        for name, rows in features.items():
            array = _arrays.as_numpy(rows)
            if array.ndim == 1 and len(listed) == 1:
                array = array.reshape(1, -1)
            given.append((name, _arrays.feature_matrix(array, f"features of {name}")))
        engine, notes = self._engine.with_items(item_rows(listed), given)
        if not quiet:
            for note in notes:
                print(f"note: {note}", file=sys.stderr)
        return Model(engine)

    def channel(self, modality: str) -> Model:
        """The channel of a modality: the model with every other modality replaced by its mean."""
        return Model(self._engine.channel(modality))

    def without(self, modality: str) -> Model:
        """The model with one modality replaced by its mean."""
        return Model(self._engine.without(modality))

    def ids_only(self) -> Model:
        """The model with every modality replaced by its mean."""
        return Model(self._engine.ids_only())

    # Tables and files

    def embeddings(self) -> tuple[np.ndarray, np.ndarray]:
        """
        The tables behind every score: ``score(u, i) = users[u] @ items[i]``.

        Returns
        -------
        users, items : numpy.ndarray
            float32, rows x width, read-only views of memory that Rust owns: nothing is copied, and a second call gives the same
            memory.
        """
        users, items = self._engine.embeddings()
        return np.asarray(users), np.asarray(items)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """
        Write the model to a directory, whole or not at all. :func:`equipoise.load` reads it anywhere, without the run and the data
        set; ``equipoise serve`` serves it.
        """
        self._engine.save(Path(path), overwrite)

    def __repr__(self) -> str:
        name, _, _ = self._engine.identity
        return f"Model({name}: {self.n_users} users, {self.n_items} items, {', '.join(self.modalities)})"


def load(path: str | os.PathLike[str]) -> Model:
    """
    Open a model that was saved, or the model of a run.

    Parameters
    ----------
    path : path
        What :meth:`Model.save`, ``equipoise export --to serving`` or a training wrote.

    Raises
    ------
    ModelError
        If there is no model.
    """
    place = Path(path)
    if (place / "metrics.json").is_file():
        return Model._of_run(_engine.EngineRun.open(place))
    return Model(_engine.EngineModel.open(place))


def _basket(basket: Sequence[Any], place: int) -> list[Any]:
    if isinstance(basket, (str, bytes)):
        raise DataError(f"history[{place}]: one text, expected a list of item ids; write [[{basket!r:.100}]]")
    found: list[Any] = []
    for item in basket:
        if isinstance(item, Mapping):
            found.append(dict(item))
        elif isinstance(item, tuple):
            found.append({"id": _arrays.ids([item[0]], f"history[{place}]")[0], "weight": float(item[1])})
        else:
            found.extend(_arrays.ids([item], f"history[{place}]"))
    return found
