"""Arrays of any library as NumPy arrays, without a copy wherever there need not be one."""

from __future__ import annotations

import os
from collections.abc import Iterable, KeysView, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from ._errors import DataError

_OTHER_IDS = "expected texts or whole numbers"


def as_numpy(values: Any) -> np.ndarray:
    """
    An array of any library as a NumPy array; memory is shared where both have the same layout.

    Parameters
    ----------
    values : array-like
        NumPy, PyTorch (on any device, with or without gradients), a sparse matrix of SciPy or PyTorch, or anything with
        ``__array__``, a buffer or ``__dlpack__``.

    Returns
    -------
    numpy.ndarray
    """
    if isinstance(values, np.ma.MaskedArray):
        return _unmasked(values)
    if isinstance(values, np.ndarray):
        return values
    if hasattr(values, "tocoo") and hasattr(values, "toarray"):  # a sparse matrix of SciPy
        return np.asarray(values.toarray())
    if hasattr(values, "detach"):  # a PyTorch tensor
        values = values.detach().cpu()
        if str(values.layout) != "torch.strided":
            values = values.to_dense()
        if str(values.dtype) == "torch.bfloat16":
            values = values.float()
        return np.asarray(values.numpy())
    if hasattr(values, "__dlpack__") and not hasattr(values, "__array__"):
        return np.from_dlpack(values)
    return np.asarray(values)


def _unmasked(values: np.ma.MaskedArray[Any, Any]) -> np.ndarray:
    """An array without a masked cell: what lies beneath a mask is no value."""
    hidden = int(np.count_nonzero(np.ma.getmaskarray(values)))
    if hidden:
        raise DataError(f"an array with {hidden} masked cells; fill them in, or leave these items out: (ids, rows)")
    return values.data


def float_matrix(values: Any, what: str) -> np.ndarray:
    """A matrix of float32 in one piece; the same memory if it is one already."""
    array = as_numpy(values)
    if array.dtype.kind in "US":
        raise DataError(f"{what}: texts, expected a matrix of numbers; `equipoise features text` makes one of texts")
    if array.dtype == object:
        try:
            array = np.stack([np.asarray(row, dtype=np.float32) for row in array])
        except (TypeError, ValueError) as error:
            raise DataError(f"{what}: {error}; expected numbers, one row of the same width per item") from None
    if array.dtype.kind not in "fiu" or array.ndim != 2:
        raise DataError(f"{what}: {array.ndim} dimensions of {array.dtype}, expected a matrix of numbers: rows x values per row")
    return np.ascontiguousarray(array, dtype=np.float32)


def feature_matrix(values: Any, what: str) -> np.ndarray:
    """Features as the engine takes them: float32, or float16 viewed as whole numbers of 16 bits, which keeps them so."""
    array = as_numpy(values)
    if array.dtype == np.float16 and array.ndim == 2:
        return np.ascontiguousarray(array).view(np.uint16)
    return float_matrix(array, what)


def indices(values: Any, what: str) -> np.ndarray:
    """Positions as unsigned numbers of 32 bits; the same memory if they are some already."""
    array = as_numpy(values)
    if array.size == 0:
        return np.empty(0, dtype=np.uint32)
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise DataError(f"{what}: {array.ndim} dimensions of {array.dtype}, expected a list of row numbers from 0")
    if array.dtype != np.uint32 and (array.min() < 0 or array.max() >= 2**32):
        raise DataError(f"{what}: row numbers from {array.min()} to {array.max()}, expected 0 to {2**32 - 1}")
    return np.ascontiguousarray(array, dtype=np.uint32)


def in_order(values: Any, what: str) -> Any:
    """
    The same, if it has an order.

    Raises
    ------
    DataError
        For a set, whose members come in another order in every run of Python.
    """
    if isinstance(values, AbstractSet) and not isinstance(values, KeysView):
        raise DataError(f"{what}: a set has no order; give a list, in the order of the rows")
    return values


def cells(values: Any) -> list[Any]:
    """A column of any library as a list of plain Python values."""
    for name in ("to_pylist", "to_list", "tolist"):
        if hasattr(values, name):
            return list(getattr(values, name)())
    return list(values)


def ids(values: Any, what: str) -> list[str]:
    """
    Raw ids as texts. Whole numbers are written in decimals; anything else is refused.

    Raises
    ------
    DataError
        For numbers with fractions, empty cells and other kinds: which id they would be is not certain.
    """
    if isinstance(values, (str, bytes)):
        raise DataError(f"{what}: one text, expected a list of ids; write [{values!r:.100}]")
    found = []
    for place, value in enumerate(cells(values)):
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, (int, np.integer)) and not isinstance(value, bool):
            found.append(str(int(value)))
        else:
            raise DataError(f"{what}: {value!r:.100} at place {place}, {_OTHER_IDS}")
    return found


def is_texts(values: Any) -> bool:
    """Whether these are texts rather than numbers."""
    if isinstance(values, (str, bytes, os.PathLike, Mapping)) or not isinstance(values, Iterable):
        return False
    if getattr(values, "ndim", 1) != 1:
        return False
    dtype = getattr(values, "dtype", None)
    if dtype is not None and getattr(dtype, "kind", "O") in "fiub":
        return False
    some = [value for value in cells(values) if not is_absent(value)]
    return bool(some) and all(isinstance(value, str) for value in some)


def is_absent(value: Any) -> bool:
    """Whether a cell is empty: ``None``, NaN, or what pandas has for none."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
