"""
The numbers of a training in MLflow, while it trains.

>>> import equipoise.mlflow  # doctest: +SKIP
>>> tracker = equipoise.mlflow.Tracker()  # doctest: +SKIP
>>> model = eq.train(data, balance="ckd", track=tracker)  # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

__all__ = ["Tracker", "numbers"]


def numbers(event: dict[str, Any]) -> dict[str, float]:
    """
    The numbers of an event of the kind ``epoch``, by the names that TensorBoard has them under.

    Parameters
    ----------
    event : dict
        An event as a callable for ``progress`` or ``track`` gets it.

    Returns
    -------
    dict
        ``loss/total``, ``loss/bpr``, ...: means over the steps of the epoch, absent before training; ``validation/whole`` and
        ``validation/<modality>``: the selection metric of the model and of each channel, when evaluated; ``<quantity>/<modality>``:
        what the balancer says of a modality. Empty for events of other kinds.

    Examples
    --------
    >>> numbers({"event": "epoch", "epoch": 1, "loss": 0.5, "bpr": 0.4, "penalty": 0.1, "balance": 0.0, "train_seconds": 1.0,
    ...          "eval_seconds": 0.0, "modalities": [{"modality": "image", "weight": 0.25}]})["weight/image"]
    0.25
    """
    if event["event"] != "epoch":
        return {}
    found: dict[str, float] = {}
    if event["epoch"] > 0:
        found["loss/total"] = event["loss"]
        found.update({f"loss/{part}": event[part] for part in ("bpr", "penalty", "balance", "extra") if part in event})
        found["seconds/train"] = event["train_seconds"]
    found["seconds/eval"] = event["eval_seconds"]
    if event.get("validation") is not None:
        found["validation/whole"] = event["validation"]
    found.update({f"validation/{name}": value for name, value in event.get("channels", [])})
    if event.get("ids_channel") is not None:
        found["validation/ids"] = event["ids_channel"]
    parts = [(of["modality"], of) for of in event.get("modalities", [])]
    if event.get("ids"):
        parts.append(("ids", event["ids"]))
    for name, of in parts:
        found.update({f"{key}/{name}": value for key, value in of.items() if isinstance(value, int | float)})
    return found


class Tracker:
    """
    Hands the numbers of every epoch to MLflow.

    Each model of a run, teachers included, has metrics of its own, such as ``model/loss/total`` and
    ``teacher image/validation/whole``; their steps are epochs. Without a run of MLflow that is active, MLflow begins one.

    Parameters
    ----------
    run_id : str, optional
        The run of MLflow to write to; the active one by default.
    """

    def __init__(self, run_id: str | None = None) -> None:
        import mlflow

        self._log = mlflow.log_metrics
        self._run_id = run_id
        self._model = "model"

    def __call__(self, event: dict[str, Any]) -> None:
        if event["event"] in ("started", "resumed"):
            self._model = str(event["what"])
        found = numbers(event)
        if found:
            named = {f"{self._model}/{name}": value for name, value in found.items()}
            self._log(named, step=event["epoch"], run_id=self._run_id)
