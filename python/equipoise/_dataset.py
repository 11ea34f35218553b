"""Data sets."""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import _arrays, _engine, _json
from ._errors import DataError
from ._table import Table, columns, stream


class Dataset:
    """
    Who took what, and what the items are like. Made by :meth:`open` or :meth:`from_frames`.

    The test part stays sealed: training and selection never see it, and a model is measured on it once.
    """

    def __init__(self, engine: _engine.EngineDataset) -> None:
        self._engine = engine
        self._facts = engine.facts()

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        modalities: Sequence[str] | None = None,
        missing: str = "mean",
        scale: str = "none",
        quiet: bool = False,
    ) -> Dataset:
        """
        Open a data set on disk in any layout that Equipoise reads.

        Parameters
        ----------
        path : path
            Directory of the data set.
        modalities : list of str, optional
            Which modalities, in this order; all that are there by default.
        missing : {"mean", "zero", "neighbours"}
            What a model sees of items that lack a modality.
        scale : {"none", "l2", "standard", "pca:K"}
            Scale of the features.
        quiet : bool
            Do not print what was merged, left out or odd; :attr:`notes` has it in any case.

        Raises
        ------
        DataError
            The first fault found, with its file and line.
        """
        settings = _settings(modalities, missing, scale)
        return cls(_engine.EngineDataset.open(Path(path), settings))._said(quiet)

    @classmethod
    def from_frames(
        cls,
        interactions: Any,
        *,
        features: Mapping[str, Any],
        items: Any = None,
        validation: Any = None,
        test: Any = None,
        user: str | None = None,
        item: str | None = None,
        rating: str | None = None,
        timestamp: str | None = None,
        split_column: str | None = None,
        min_rating: float | None = None,
        split: str | None = None,
        shares: Sequence[float] | None = None,
        seed: int = 0,
        encoder: str = "builtin",
        modalities: Sequence[str] | None = None,
        missing: str = "mean",
        scale: str = "none",
        save_to: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
        quiet: bool = False,
    ) -> Dataset:
        """
        Make a data set of tables and arrays in memory.

        Rows of features are joined to items by raw id, never by a position that nothing proves. A position is proven by ``items``;
        without it, arrays without ids are taken only where items are called 0 to ``rows - 1``, which is said, and refused
        otherwise.

        Parameters
        ----------
        interactions : table
            One row per interaction: anything with ``__arrow_c_stream__`` (Polars, pandas, PyArrow, DuckDB), or a mapping of names
            to columns. Every row is a positive, unless ``min_rating`` leaves it out.
        features : mapping of str to features
            For each modality one of: a matrix with one row per item (NumPy, PyTorch, ...); ``(ids, matrix)``; ``{id: vector}``; a
            table with a column of ids and a column of vectors; a path to ``.npy``, ``.npz``, ``.safetensors``, ``.parquet`` or
            ``.csv``; or texts (a list of them, ``(ids, texts)`` or ``{id: text}``), of which ``encoder`` makes features.
        items : table or list of ids, optional
            The catalogue in the order of the rows of features. Other columns of a table (``title``, ``category``, ...) are kept:
            lists show titles, and filters ask for attributes.
        validation, test : table, optional
            Held-out interactions as tables of their own; ``interactions`` is train then.
        user, item, rating, timestamp, split_column : str, optional
            Names of columns; those that are not given are guessed by common names, which is said.
        min_rating : float, optional
            Least rating of a positive.
        split : {"lattice", "mmrec", "ratio", "leave_one_out", "time"}, optional
            How interactions are divided where no column and no table says it. ``ratio`` by default, which is said.
        shares : three floats, optional
            Train, validation and test of ``ratio`` and ``time``; 0.8, 0.1, 0.1 by default.
        seed : int
            Seed of a random split.
        encoder : str
            What makes features of texts: ``builtin``, or the directory of a text encoder.
        modalities, missing, scale, quiet
            As in :meth:`open`.
        save_to : path, optional
            Where the data set is kept, in the layout ``equipoise``. By default it lies in a temporary directory for as long as the
            data set and its models live.
        overwrite : bool
            Whether a data set that was made so may be replaced.

        Raises
        ------
        DataError
            If a table or features cannot be used; ids must be texts or whole numbers.

        Examples
        --------
        >>> import equipoise as eq, numpy as np
        >>> clicks = {"user": ["u", "u", "u", "v", "v", "v"], "item": ["a", "b", "c", "a", "b", "c"]}
        >>> data = eq.Dataset.from_frames(
        ...     clicks, items=["a", "b", "c"], features={"image": np.eye(3)}, split="leave_one_out", quiet=True)
        >>> data
        Dataset(2 users, 3 items, 2 + 2 interactions, image 3)
        """
        _one_of("split", split, split_column)
        held_out = [part for part in (validation, test) if part is not None]
        if len(held_out) == 1:
            raise DataError("only one of validation and test; give both tables, or neither")
        parts = [stream(table, what) for table, what in _parts(interactions, validation, test)]
        listed = _items(items, item)
        order = [id for id, _ in listed] if listed else None
        arrays, texts, files = _features(features, order, item, encoder)
        names = {"user": user, "item": item, "rating": rating, "timestamp": timestamp, "split": split_column}
        options: dict[str, Any] = {
            "columns": {key: name for key, name in names.items() if name is not None},
            "features": files,
        }
        divided = held_out or split_column is not None or _engine.has_split_column(parts[0].column_names)
        said = None
        if not divided:
            if split is None:
                split, said = "ratio", "No split was given: interactions are divided per user at random (split = ratio)."
            options["split"] = split
        elif split is not None:
            options["split"] = split
        given = {"min_rating": min_rating, "shares": None if shares is None else list(shares), "seed": seed or None}
        options.update({key: value for key, value in given.items() if value is not None})
        engine = _engine.EngineDataset.from_tables(
            parts,
            item_rows(listed),
            arrays,
            texts,
            _json.text(options),
            _settings(modalities, missing, scale),
            None if save_to is None else Path(save_to),
            overwrite,
        )
        return cls(engine)._said(quiet, said)

    def _said(self, quiet: bool, first: str | None = None) -> Dataset:
        if first is not None:
            self._facts["notes"].insert(0, first)
        if not quiet:
            for note in self.notes:
                print(f"note: {note}", file=sys.stderr)
        return self

    @property
    def name(self) -> str:
        """Name of the data set."""
        return self._facts["name"]

    @property
    def path(self) -> Path:
        """Where it lies on disk."""
        return Path(self._facts["path"])

    @property
    def n_users(self) -> int:
        """Number of users."""
        return self._facts["users"]

    @property
    def n_items(self) -> int:
        """Number of items, those without interactions included."""
        return self._facts["items"]

    @property
    def modalities(self) -> dict[str, int]:
        """The modalities and the widths of their features."""
        return dict(self._facts["modalities"])

    @property
    def notes(self) -> list[str]:
        """Everything that was merged, left out, guessed or odd, a sentence each."""
        return self._facts["notes"]

    @property
    def fingerprint(self) -> str:
        """Hash of train, validation, features and ids: runs of one fingerprint saw the same data."""
        return self._facts["fingerprint"]

    @property
    def users(self) -> list[str]:
        """Raw ids of the users, in the order of the rows."""
        return self._engine.ids()[0]

    @property
    def items(self) -> list[str]:
        """Raw ids of the items, in the order of the rows."""
        return self._engine.ids()[1]

    @property
    def train(self) -> Table:
        """Interactions to learn from: ``user``, ``item``."""
        return Table(self._engine.interactions("train"))

    @property
    def validation(self) -> Table:
        """Held-out interactions that select a model: ``user``, ``item``."""
        return Table(self._engine.interactions("validation"))

    def unseal_test(self) -> Table:
        """Break the seal: held-out interactions for the one evaluation after everything is chosen."""
        return Table(self._engine.interactions("test"))

    def indices(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """
        Row numbers of the users and items of a split, as :func:`equipoise.evaluate` takes them.

        Parameters
        ----------
        split : {"train", "validation", "test"}
            ``test`` breaks the seal.

        Returns
        -------
        users, items : numpy.ndarray of uint32
        """
        users, items = self._engine.indices(split)
        return np.frombuffer(users, dtype=np.uint32), np.frombuffer(items, dtype=np.uint32)

    def features(self, modality: str) -> np.ndarray:
        """
        The features of a modality as models see them: filled in and scaled.

        Returns
        -------
        numpy.ndarray
            float32, items x width, read-only; a view of the engine's memory, or of the mapped file.
        """
        return np.asarray(self._engine.features(modality))

    def __repr__(self) -> str:
        facts = self._facts
        widths = ", ".join(f"{name} {width}" for name, width in facts["modalities"])
        return (
            f"Dataset({self.n_users} users, {self.n_items} items, {facts['train']} + {facts['validation']} interactions, {widths})"
        )

    def _repr_html_(self) -> str:
        facts = self._facts
        rows = [
            ("users", self.n_users),
            ("items", self.n_items),
            ("train interactions", facts["train"]),
            ("validation interactions", facts["validation"]),
            ("test interactions", "sealed"),
            *((f"features: {name}", f"{width} columns") for name, width in facts["modalities"]),
            ("scale", facts["scale"]),
            ("missing", facts["missing"]),
        ]
        lines = "".join(f"<tr><th>{html.escape(str(k))}</th><td>{html.escape(str(v))}</td></tr>" for k, v in rows)
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        said = f"<ul>{notes}</ul>" if notes else ""
        return f"<table><caption>{html.escape(self.name)}</caption>{lines}</table>{said}"


def _one_of(name: str, value: Any, other: Any) -> None:
    if value is not None and other is not None:
        raise DataError(f"both {name} and {name}_column; give the rule or the column")


def _settings(modalities: Sequence[str] | None, missing: str, scale: str) -> str:
    settings: dict[str, Any] = {"missing": missing, "scale": scale}
    if isinstance(modalities, str):
        raise DataError(f"modalities: one text, expected a list of names; write [{modalities!r:.100}]")
    if modalities is not None:
        settings["modalities"] = list(modalities)
    return _json.text(settings)


def _parts(interactions: Any, validation: Any, test: Any) -> list[tuple[Any, str]]:
    if validation is None:
        return [(interactions, "interactions")]
    return [(interactions, "interactions"), (validation, "validation"), (test, "test")]


def _items(items: Any, item: str | None) -> list[tuple[str, dict[str, Any]]]:
    """Raw ids in their order, each with what is known of the item."""
    if items is None:
        return []
    _arrays.in_order(items, "items")
    if isinstance(items, Mapping) or hasattr(items, "__arrow_c_stream__") or hasattr(items, "columns"):
        if not hasattr(items, "to_pylist") and not (hasattr(items, "dtype") and not hasattr(items, "columns")):
            named = columns(items, "items")
            key = _id_column(named, item, "items")
            found = _arrays.ids(named.pop(key), f"items, column {key}")
            rows = [{name: column[row] for name, column in named.items()} for row in range(len(found))]
            known = [{name: value for name, value in row.items() if not _arrays.is_absent(value)} for row in rows]
            return list(zip(found, known, strict=True))
    return [(id, {}) for id in _arrays.ids(items, "items")]


def item_rows(listed: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, str]]:
    """Items and what is known of them, as the engine takes them."""
    return [(id, _json.facts(known, f"items, {id!r:.100}")) for id, known in listed]


def _id_column(named: Mapping[str, Any], item: str | None, what: str) -> str:
    """The column that ``item`` names, or the one whose name says that it holds ids of items."""
    if item is not None and item in named:
        return item
    try:
        return list(named)[_engine.item_column(list(named))]
    except DataError as error:
        raise DataError(f"{what}: {error}") from None


def _is_table(given: Any) -> bool:
    """Whether a mapping has columns, one of them of ids, rather than the vectors of items."""
    names = [name for name in given if isinstance(name, str)]
    try:
        column = given[names[_engine.item_column(names)]]
    except DataError:
        return False
    dtype = getattr(column, "dtype", None)
    return dtype is None or getattr(dtype, "kind", "O") != "f"


def _features(
    features: Mapping[str, Any], order: list[str] | None, item: str | None, encoder: str
) -> tuple[list[tuple[str, list[str] | None, np.ndarray]], list[tuple[str, str, list[tuple[str, str]]]], list[dict[str, str]]]:
    """Arrays with the ids of their rows, texts with theirs, and files."""
    arrays, texts, files = [], [], []
    if not isinstance(features, Mapping):
        raise DataError(f"features: {type(features).__name__}, expected a mapping of modalities, such as {{'image': rows}}")
    if not features:
        raise DataError("features: none are given; expected those of at least one modality, such as {'image': rows}")
    for name, given in features.items():
        if not isinstance(name, str):
            raise DataError(f"features: a modality {name!r:.100}, expected a name")
        what = f"features of {name!r:.100}"
        if isinstance(given, (str, os.PathLike)):
            files.append({"name": name, "path": str(Path(given).absolute())})
            continue
        ids, values = _with_ids(given, item, what)
        if _arrays.is_texts(values):
            ids = ids or order
            if ids is None:
                raise DataError(f"{what}: texts without ids: which is whose? Give (ids, texts), or items in their order")
            listed = _arrays.cells(values)
            _same_length(what, ids, listed)
            texts.append((name, encoder, [(id, text) for id, text in zip(ids, listed, strict=True) if not _arrays.is_absent(text)]))
            continue
        matrix = _arrays.feature_matrix(values, what)
        ids = ids if ids is not None else order
        if ids is not None:
            _same_length(what, ids, matrix)
        arrays.append((name, ids, matrix))
    return arrays, texts, files


def _with_ids(given: Any, item: str | None, what: str) -> tuple[list[str] | None, Any]:
    """The ids of the rows where they are given, and the rows."""
    if isinstance(given, tuple) and len(given) == 2:
        return _arrays.ids(_arrays.in_order(given[0], f"ids of {what}"), f"ids of {what}"), given[1]
    if isinstance(given, Mapping) and not _is_table(given):
        values = list(given.values())
        return _arrays.ids(list(given), f"ids of {what}"), values if _arrays.is_texts(values) else _vectors(given, what)
    if isinstance(given, Mapping) or (hasattr(given, "columns") and hasattr(given, "__getitem__")) or hasattr(given, "to_pydict"):
        named = columns(given, what)
        key = _id_column(named, item, what)
        found = _arrays.ids(named.pop(key), f"ids of {what}")
        if len(named) == 1:
            values = next(iter(named.values()))
            return found, values if _arrays.is_texts(values) else _rows(values, what)
        return found, _rows(list(zip(*named.values(), strict=True)), what)
    return None, given


def _vectors(given: Mapping[Any, Any], what: str) -> np.ndarray:
    """The vectors of items; one of another width is named."""
    rows = {id: np.asarray(_arrays.as_numpy(row)) for id, row in given.items()}
    shapes = [row.shape for row in rows.values()]
    usual = max(set(shapes), key=shapes.count, default=())
    for id, row in rows.items():
        if row.shape != usual:
            found = "none" if given[id] is None else f"a vector of shape {row.shape}"
            raise DataError(f"{what}, {id!r:.100}: {found}, expected {usual} as of the others; leave out an item that has none")
    return _rows(list(rows.values()), what)


def _rows(values: list[Any], what: str) -> np.ndarray:
    try:
        return np.stack([np.asarray(_arrays.as_numpy(row)) for row in values])
    except (TypeError, ValueError) as error:
        raise DataError(f"{what}: {error}; expected vectors of one width") from None


def _same_length(what: str, ids: list[str], rows: Any) -> None:
    if len(ids) != len(rows):
        raise DataError(f"{what}: {len(rows)} rows for {len(ids)} ids; give each item its row, or (ids, rows)")
