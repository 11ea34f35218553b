"""JSON writer: objects indented, arrays of numbers one row per line, floats by repr.

`repr` is the shortest text that reads back to the same float64. The file is replaced
in one step so that an interrupted run leaves the old one.
"""

import json
import math
import os

import numpy as np


def plain(value):
    """numpy values as Python lists and numbers; a non-finite number is an error."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"expected a finite number, found {value}")
    return value


def _is_flat(value):
    return isinstance(value, list) and not any(isinstance(v, (list, dict)) for v in value)


def render(value, indent=0):
    """Text of `value`, already made plain."""
    pad, inner = " " * indent, " " * (indent + 1)
    if not isinstance(value, (list, dict)) or not value or _is_flat(value):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    if isinstance(value, dict):
        rows = [f"{json.dumps(k)}: {render(v, indent + 1)}" for k, v in value.items()]
        opening, closing = "{", "}"
    else:
        rows = [render(v, indent + 1) for v in value]
        opening, closing = "[", "]"
    body = ",\n".join(inner + row for row in rows)
    return f"{opening}\n{body}\n{pad}{closing}"


def write(path, content):
    """Writes `content` to `path` through a temporary file in the same folder."""
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8", newline="\n") as file:
        file.write(render(plain(content)) + "\n")
    os.replace(temporary, path)
