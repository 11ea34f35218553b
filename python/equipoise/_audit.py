"""Which modality is under-used."""

from __future__ import annotations

import html
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from . import _engine
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
    return Audit(model._training().audit(None if against is None else against._training()))
