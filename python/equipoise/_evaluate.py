"""Exact evaluation of any embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from . import _arrays, _engine, _json
from ._dataset import Dataset
from ._errors import DataError
from ._table import Table


class Evaluation(Mapping[str, float]):
    """What was measured: ``evaluation["recall@20"]``, :attr:`metrics`, :attr:`per_user`. A mapping of metrics to means."""

    def __init__(self, engine: _engine.EngineEvaluation) -> None:
        self._engine = engine

    @property
    def metrics(self) -> dict[str, float]:
        """Means over the evaluated users, by ``metric@k``."""
        return self._engine.metrics

    @property
    def per_user(self) -> Table:
        """The values of each evaluated user: ``user`` (row number) and one column per metric, float64."""
        return Table(self._engine.per_user())

    @property
    def evaluated_users(self) -> int:
        """Users with held-out items, over whom means are taken."""
        return self._engine.counts[0]

    @property
    def skipped_users(self) -> int:
        """Users without held-out items."""
        return self._engine.counts[1]

    @property
    def unreachable(self) -> int:
        """Held-out interactions that are in train as well, and can only be missed; 0 where splits are disjoint."""
        return self._engine.counts[2]

    @property
    def definitions(self) -> dict[str, str]:
        """What each metric, and the ranking itself, means."""
        return self._engine.definitions

    def __getitem__(self, metric: str) -> float:
        return self.metrics[metric]

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __len__(self) -> int:
        return len(self.metrics)

    def __repr__(self) -> str:
        values = ", ".join(f"{name} {value:.4f}" for name, value in self.metrics.items())
        return f"Evaluation({self.evaluated_users} users: {values})"


def evaluate(
    users: Any,
    items: Any,
    *,
    train: Any = None,
    test: Any = None,
    k: int | Sequence[int] = (10, 20),
    metrics: Sequence[str] = ("recall", "precision", "ndcg", "hit"),
    ndcg: str = "standard",
    threads: int | None = None,
) -> Evaluation:
    """
    Exact full ranking of embeddings from anywhere: ``score(u, i) = users[u] @ items[i]``.

    Every item is ranked for every user with held-out items, those of the user in ``train`` left out; ties break by row number. Sums
    are taken in a fixed order, so that the number of threads changes no bit.

    Parameters
    ----------
    users, items : array
        Users x width and items x width. float32 in one piece is read where it lies, without a copy (NumPy, PyTorch on the
        processor); anything else is converted.
    train, test : interactions
        A :class:`Dataset` (its train, its test), ``(users, items)`` of row numbers, a matrix of two columns, a sparse matrix of
        SciPy (users x items, more than 0 for what a user met), a mapping of users to their items, or a list with each user's.
    k : int or list of int
        Cut-offs.
    metrics : list of {"recall", "precision", "ndcg", "hit"}
        What to compute at each cut-off.
    ndcg : {"standard", "lattice"}
        Definition of NDCG.
    threads : int, optional
        Size of the thread pool; every processor by default.

    Returns
    -------
    Evaluation

    Raises
    ------
    DataError
        If the tables do not fit each other or the interactions, or a value is not finite.

    Examples
    --------
    >>> import equipoise as eq, numpy as np
    >>> users, items = np.ones((2, 1), np.float32), np.array([[0.1], [0.2], [0.3]], np.float32)
    >>> result = eq.evaluate(users, items, train=[[2], [0]], test=[[1], [1]], k=1)
    >>> result["recall@1"]
    0.5
    """
    if test is None:
        raise DataError("test: none is given; expected held-out interactions")
    config = {"ks": [k] if isinstance(k, (int, np.integer)) else list(k), "metrics": list(metrics), "ndcg": ndcg}
    user_rows, item_rows = _arrays.float_matrix(users, "users"), _arrays.float_matrix(items, "items")
    size = (len(user_rows), len(item_rows))
    engine = _engine.evaluate(
        user_rows,
        item_rows,
        pairs(train, "train", size),
        pairs(test, "test", size),
        _json.text(config),
        threads,
    )
    return Evaluation(engine)


def pairs(given: Any, split: str, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """
    Row numbers of users and items of interactions in any form.

    Parameters
    ----------
    given : interactions
        As of :func:`evaluate`.
    split : str
        How messages call them.
    size : (int, int)
        Numbers of users and items of the tables.
    """
    if given is None:
        return _arrays.indices([], split), _arrays.indices([], split)
    if isinstance(given, Dataset):
        return given.indices(split)
    if hasattr(given, "tocoo"):
        return _of_matrix(given.tocoo(), split, size)
    if isinstance(given, tuple) and len(given) == 2 and np.ndim(given[0]) == 1 and np.ndim(given[1]) == 1:
        return _arrays.indices(given[0], f"{split}, users"), _arrays.indices(given[1], f"{split}, items")
    if isinstance(given, Mapping):
        return _of_lists(given.items(), split)
    if isinstance(given, (list, tuple)):
        if len(given) != size[0]:
            raise DataError(f"{split}: {len(given)} lists, expected one for each of {size[0]} users; give a mapping to leave users out")
        return _of_lists(enumerate(given), split)
    array = _arrays.as_numpy(given)
    if array.ndim == 2 and array.shape[1] == 2:
        return _arrays.indices(array[:, 0], f"{split}, users"), _arrays.indices(array[:, 1], f"{split}, items")
    raise DataError(f"{split}: {type(given).__name__}, expected (users, items), a sparse matrix, or each user's items")


def _of_matrix(matrix: Any, split: str, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The cells of a sparse matrix of users and items that are more than 0."""
    if matrix.shape != size:
        found, expected = (" x ".join(map(str, shape)) for shape in (matrix.shape, size))
        raise DataError(f"{split}: a matrix of {found}, expected {expected}: users x items of the tables")
    cells = np.asarray(matrix.data)
    strange = int(np.count_nonzero(~(cells >= 0)))
    if strange:
        raise DataError(f"{split}: {strange} cells of the matrix are negative or NaN; expected more than 0 for what a user met")
    kept = cells != 0
    return _arrays.indices(matrix.row[kept], split), _arrays.indices(matrix.col[kept], split)


def _of_lists(lists: Any, split: str) -> tuple[np.ndarray, np.ndarray]:
    users: list[int] = []
    items: list[np.ndarray] = []
    for user, of_user in lists:
        if not isinstance(user, (int, np.integer)):
            raise DataError(f"{split}: user {user!r:.100}, expected row numbers from 0")
        found = _arrays.indices(list(of_user), f"{split}, user {user}")
        users.extend([int(user)] * len(found))
        items.append(found)
    joined = np.concatenate(items) if items else np.empty(0, dtype=np.uint32)
    return _arrays.indices(users, split), joined
