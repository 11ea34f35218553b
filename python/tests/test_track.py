"""Who draws curves while a model is trained."""

import sys
import types

import pytest

import equipoise as eq
from equipoise import mlflow as tracking

from conftest import QUICK


def short(data, **more):
    return eq.train(data, seed=1, settings={**QUICK, "train.epochs": 3, "train.eval_every": 1}, progress=False, **more)


def test_files_for_tensorboard_and_any_callable(data, tmp_path):
    heard = []
    short(data, track=[f"tensorboard:{tmp_path / 'curves'}", heard.append])
    files = list((tmp_path / "curves" / "model").iterdir())
    assert len(files) == 1 and files[0].name.startswith("events.out.tfevents.")
    assert [event["epoch"] for event in heard if event["event"] == "epoch"] == [0, 1, 2, 3]
    assert heard[0]["event"] == "started"


def test_what_names_no_tracker_is_refused(data):
    with pytest.raises(eq.ConfigError, match="KIND:PLACE"):
        short(data, track="tensorbord:x")


def test_mlflow_gets_every_epoch_of_every_model(data, monkeypatch):
    logged = []
    fake = types.ModuleType("mlflow")
    fake.log_metrics = lambda metrics, step, run_id: logged.append((step, run_id, metrics))
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    short(data, balance="ckd", track=tracking.Tracker(run_id="r1"))
    models = {name.split("/")[0] for _, _, metrics in logged for name in metrics}
    assert "model" in models and any(name.startswith("teacher ") for name in models)
    assert {run_id for _, run_id, _ in logged} == {"r1"}
    last = logged[-1]
    assert last[0] == 3 and {"model/loss/total", "model/validation/whole"} <= last[2].keys()
    assert any(name.startswith("model/weight/") for name in last[2])


def test_numbers_of_other_events_are_none():
    assert tracking.numbers({"event": "note", "text": "x"}) == {}


def test_a_store_of_mlflow_holds_every_epoch_of_every_model(data, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    # A store of files needs no more than the small package `mlflow-skinny`.
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "store").as_uri())
    with mlflow.start_run() as run:
        short(data, balance="ckd", track=tracking.Tracker())
    client = mlflow.MlflowClient()
    steps = lambda name: [metric.step for metric in client.get_metric_history(run.info.run_id, name)]
    assert steps("model/loss/total") == steps("teacher image/loss/total") == [1, 2, 3]
    assert steps("model/validation/whole") == [0, 1, 2, 3]
    assert steps("model/weight/text") == [1, 2, 3]
