"""Results as tables, and tables of any library as Arrow streams."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any

from . import _engine
from ._arrays import cells, is_absent
from ._errors import DataError

_SHOWN = 20


class Table:
    """
    A table that Rust owns. Every data frame that speaks Arrow takes it over without a copy: ``polars.DataFrame(table)``,
    ``pyarrow.table(table)``, DuckDB by its name.
    """

    def __init__(self, table: _engine.ArrowTable) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return len(self._table)

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return self._table.column_names

    def to_dict(self) -> dict[str, list[Any]]:
        """The columns as lists."""
        return self._table.to_dict()

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows, one dictionary each."""
        columns = self.to_dict()
        for values in zip(*columns.values(), strict=True):
            yield dict(zip(columns, values, strict=True))

    def to_polars(self) -> Any:
        """The table as a ``polars.DataFrame``, without a copy."""
        import polars

        return polars.DataFrame(self)

    def to_pandas(self) -> Any:
        """The table as a ``pandas.DataFrame``; by Arrow where PyArrow is installed, else by lists."""
        import pandas

        try:
            import pyarrow
        except ImportError:
            return pandas.DataFrame(self.to_dict())
        return pyarrow.table(self).to_pandas()

    def to_arrow(self) -> Any:
        """The table as a ``pyarrow.Table``, without a copy."""
        import pyarrow

        return pyarrow.table(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} rows: {', '.join(self.columns)})"

    def _repr_html_(self) -> str:
        columns = self.to_dict()
        head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
        lines = []
        for values in list(zip(*columns.values(), strict=True))[:_SHOWN]:
            lines.append("<tr>" + "".join(f"<td>{html.escape(_shown(value))}</td>" for value in values) + "</tr>")
        more = f"<p>{len(self) - _SHOWN} more rows</p>" if len(self) > _SHOWN else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>{more}"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def stream(table: Any, what: str) -> Any:
    """
    Something with ``__arrow_c_stream__`` for a table of any library.

    Parameters
    ----------
    table : table
        Anything with ``__arrow_c_stream__`` (Polars, PyArrow, DuckDB, pandas), a pandas frame without PyArrow, or a mapping of
        names to columns.
    what : str
        How messages call it.
    """
    if hasattr(table, "__arrow_c_stream__"):
        try:
            # Asked for once here: pandas needs PyArrow for it and says so only now.
            return _engine.ArrowTable.from_stream(table)
        except ImportError:
            pass
        except DataError as error:
            if "Null" not in str(error):  # a column without any value, which some libraries hand over in a form of their own
                raise DataError(f"{what}: {error}") from None
        except Exception as error:  # whatever the other library says of a frame that it cannot hand over
            raise DataError(f"{what}: {error}") from None
    named = columns(table, what)
    _one_length(named, what)
    return _engine.ArrowTable.from_columns({str(name): [_cell(value) for value in column] for name, column in named.items()})


def columns(table: Any, what: str) -> dict[str, list[Any]]:
    """The columns of a table of any library as lists."""
    if hasattr(table, "collect") and hasattr(table, "lazy"):  # of Polars
        raise DataError(f"{what}: {type(table).__name__}, whose rows are not there yet; call .collect() on it")
    if isinstance(table, Mapping):
        return {str(name): cells(column) for name, column in table.items()}
    if hasattr(table, "to_pydict"):  # PyArrow
        return dict(table.to_pydict())
    if hasattr(table, "columns") and hasattr(table, "__getitem__"):  # pandas, Polars
        return {str(name): cells(table[name]) for name in table.columns}
    if hasattr(table, "__arrow_c_stream__"):
        return _engine.ArrowTable.from_stream(table).to_dict()
    raise DataError(f"{what}: {type(table).__name__}, expected a data frame, or a mapping of names to columns")


def _one_length(named: Mapping[str, list[Any]], what: str) -> None:
    lengths = {name: len(column) for name, column in named.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in list(lengths.items())[:10])
        raise DataError(f"{what}: columns of several lengths ({told}); expected one row per interaction")


def _cell(value: Any) -> Any:
    """A cell as plain Python; what pandas has for none is none."""
    if is_absent(value):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value
