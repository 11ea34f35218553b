"""Settings, requests and facts as JSON for the engine."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from ._errors import ConfigError


def text(settings: Any) -> str:
    """
    Settings or a request as JSON. NumPy's numbers count as numbers.

    Raises
    ------
    ConfigError
        For NaN and infinity, which JSON does not have, and for values of other kinds, with their place.
    """
    return json.dumps(_plain(settings, ""))


def facts(known: Mapping[str, Any], what: str) -> str:
    """What is known of an item as JSON; what JSON has no kind for (dates, for instance) is kept as a text."""
    return json.dumps({name: _plain(value, f"{what}, {name}", other=str) for name, value in known.items()})


def _plain(value: Any, place: str, other: Any = None) -> Any:
    """A value of plain Python."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, f"{place}.{key}" if place else str(key), other) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, f"{place}[{number}]", other) for number, inner in enumerate(value)]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ConfigError(f"{place} = {value}, expected a finite number")
        return value
    if hasattr(value, "tolist"):  # a number or an array of NumPy
        return _plain(value.tolist(), place, other)
    if other is not None:
        return other(value)
    raise ConfigError(f"{place}: {type(value).__name__}, expected a text, a number, true or false, or a list of them")
