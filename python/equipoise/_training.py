"""Training."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from . import _engine, _json
from ._dataset import Dataset
from ._errors import ConfigError
from ._model import Model

_POLL_SECONDS = 0.2

Listener = Callable[[dict[str, Any]], None]


def train(
    data: Dataset,
    backbone: str | Mapping[str, Any] = "vbpr",
    balance: str | Mapping[str, Any] | None = "none",
    *,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    config: str | os.PathLike[str] | None = None,
    dir: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    overwrite: bool = False,
    from_scratch: bool = False,
    progress: bool | Listener = True,
    track: str | Listener | Iterable[str | Listener] = (),
) -> Model:
    """
    Train a model, and the teachers that its balancer needs.

    Ctrl-C ends the training after its current step: the best model so far is kept, measured and returned, with a warning. Before
    there is one (while teachers are trained), ``KeyboardInterrupt`` is raised; with ``dir``, the same call goes on later.

    Parameters
    ----------
    data : Dataset
        What to train on.
    backbone, balance : str or mapping
        Names as ``equipoise backbones`` lists them (``vbpr``, ``mmgcn``, ``mgcn``, ...; ``none``, ``ckd``, ``gb``, ...), or a mapping
        with ``name`` and further settings, such as ``{"name": "vbpr", "width": 64}``.
    seed : int, optional
        Every random number derives from it: the same seed gives the same bits, whatever the number of threads.
    settings : mapping, optional
        Any other settings, by their keys in configuration files: ``{"train.lr": 1e-3}`` or ``{"train": {"lr": 1e-3}}``.
    config : path, optional
        A configuration file, over which the other arguments go.
    dir : path, optional
        Where the run is kept. By default it lies in a temporary directory for as long as the model lives.
    threads : int, optional
        Size of the thread pool; every processor by default. Results do not depend on it.
    overwrite : bool
        Whether a run in ``dir`` may be replaced.
    from_scratch : bool
        Begin anew where a training in ``dir`` was interrupted.
    progress : bool or callable
        ``True`` shows tqdm's bar where it is installed and stderr is a terminal or a notebook, else plain lines; a callable gets
        every event as a dictionary.
    track : str, callable or several of them
        Who draws curves while it trains: ``"tensorboard:DIR"`` writes files of events, :class:`equipoise.mlflow.Tracker` hands the
        numbers of every epoch to MLflow, and any callable gets every event as a dictionary.

    Returns
    -------
    Model

    Raises
    ------
    ConfigError
        For a setting that is unknown or out of range.
    """
    if not isinstance(data, Dataset):
        raise ConfigError(f"data: {type(data).__name__}, expected a Dataset: Dataset.open(path) or Dataset.from_frames(...)")
    chosen = _chosen(backbone, balance, seed, settings)
    followers = [track] if isinstance(track, str) or callable(track) else list(track)
    job = _engine.TrainingJob(
        data._engine,
        _json.text(chosen),
        None if config is None else Path(config),
        None if dir is None else Path(dir),
        threads,
        overwrite,
        from_scratch,
        [one for one in followers if isinstance(one, str)],
    )
    listener = progress if callable(progress) else _listener(bool(progress))
    try:
        _follow(job, [listener, *(one for one in followers if not isinstance(one, str))])
    finally:
        job.stop()
        closing = getattr(listener, "close", None)
        if closing is not None:
            closing()
    model = Model._of_run(job.result())
    if model.report["ending"] == "interrupted":
        warnings.warn(
            f"training was interrupted after epoch {model.report['epochs']}; this is the best model so far, of epoch "
            f"{model.report['best_epoch']}",
            stacklevel=2,
        )
    return model


def _follow(job: _engine.TrainingJob, listeners: list[Listener]) -> None:
    """Wait for the end, and hand events on. The first Ctrl-C asks for the end, a second one no longer waits for it."""
    asked = False
    while True:
        try:
            ended = job.wait(_POLL_SECONDS)
            for event in map(json.loads, job.events()):
                for listener in listeners:
                    listener(event)
            if ended:
                return
        except KeyboardInterrupt:
            if asked:
                raise
            asked = True
            job.stop()
            print("stopping after this step; the best model so far is kept", file=sys.stderr)


def _chosen(
    backbone: str | Mapping[str, Any], balance: str | Mapping[str, Any] | None, seed: int | None, settings: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Settings by dotted key; the names of parts first, since they decide which keys there are."""
    chosen: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for section, part in (("backbone", backbone), ("balance", "none" if balance is None else balance)):
        if not isinstance(part, (str, Mapping)):
            raise ConfigError(f"{section}: {type(part).__name__}, expected a name, or a mapping with a name and settings")
        given = {"name": part} if isinstance(part, str) else dict(part)
        if "name" not in given:
            raise ConfigError(f"{section}: no name among {', '.join(map(str, given)) or 'nothing'}; expected one")
        chosen[f"{section}.name"] = given.pop("name")
        rest.update({f"{section}.{key}": value for key, value in given.items()})
    if seed is not None:
        chosen["seed"] = seed
    for key, value in (settings or {}).items():
        if isinstance(value, Mapping):
            rest.update({f"{key}.{inner}": v for inner, v in value.items()})
        else:
            rest[key] = value
    for key in ("backbone.name", "balance.name"):
        chosen.update({key: rest.pop(key)} if key in rest else {})
    return {**chosen, **rest}


def _listener(shown: bool) -> Listener:
    if not shown:
        return lambda event: None
    if sys.stderr.isatty() or "ipykernel" in sys.modules:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return _Lines()
        return _Bar(tqdm)
    return _Lines()


class _Lines:
    """Says on stderr what happens: a line when a model is begun, at most one in ten seconds, and one when it is done."""

    def __init__(self) -> None:
        self._name = ""
        self._last = 0.0

    def __call__(self, event: dict[str, Any]) -> None:
        import time

        text = _words(event)
        if text is None:
            return
        if event["event"] == "epoch":
            now = time.monotonic()
            if now - self._last < 10.0:
                return
            self._last = now
        print(text, file=sys.stderr, flush=True)


class _Bar:
    """tqdm's bar over the epochs of each model."""

    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._bar: Any = None

    def __call__(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "started":
            self.close()
            self._bar = self._tqdm(total=event["epochs"], desc=_role(event["what"]), unit="epoch")
        elif kind == "epoch" and self._bar is not None:
            self._bar.update(max(event["epoch"] - self._bar.n, 0))
            value = event.get("validation")
            self._bar.set_postfix_str(f"loss {event['loss']:.4f}" + ("" if value is None else f", validation {value:.4f}"))
        elif kind == "finished":
            self.close()
        elif kind in ("note", "teacher_reused", "plain_reused", "ids_reused"):
            text = _words(event)
            if text is not None:
                self._tqdm.write(text, file=sys.stderr)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _role(what: Any) -> str:
    if isinstance(what, dict):
        return " ".join(str(part) for pair in what.items() for part in pair)
    return str(what)


def _words(event: dict[str, Any]) -> str | None:
    kind = event["event"]
    if kind == "started":
        return f"{_role(event['what'])}: {event['parameters']} parameters, at most {event['epochs']} epochs"
    if kind == "epoch":
        value = event.get("validation")
        return f"  epoch {event['epoch']}: loss {event['loss']:.4f}" + ("" if value is None else f", validation {value:.4f}")
    if kind == "finished":
        return f"{_role(event['what'])}: {event['epochs']} epochs, best {event['best']:.4f} at epoch {event['best_epoch']}"
    if kind == "note":
        return f"note: {event['text']}"
    if kind in ("teacher_reused", "plain_reused", "ids_reused"):
        return f"used again: {event['path']}"
    return None
