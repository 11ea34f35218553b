import _thread
import sys
import threading

import pytest

import equipoise as eq

from conftest import QUICK

LONG = {**QUICK, "train.epochs": 100000, "train.patience": 100000, "train.lr": 1e-5}


def test_the_same_seed_gives_the_same_bits_whatever_the_threads(data):
    one, two = (eq.train(data, seed=3, settings=QUICK, threads=n, progress=False) for n in (1, 2))
    assert one.embeddings()[0].tobytes() == two.embeddings()[0].tobytes()
    other = eq.train(data, seed=4, settings=QUICK, progress=False)
    assert other.embeddings()[0].tobytes() != one.embeddings()[0].tobytes()


def test_settings_go_by_name_and_unknown_ones_are_refused(data, tmp_path):
    model = eq.train(
        data,
        {"name": "mmgcn", "width": 4},
        {"name": "none"},
        settings={"train": {"epochs": 1, "metric": "recall@5"}},
        dir=tmp_path / "run",
        progress=False,
    )
    config = (tmp_path / "run" / "config.toml").read_text()
    assert 'name = "mmgcn"' in config and "width = 4" in config and "epochs = 1" in config
    assert model.dir == tmp_path / "run" and len(model.epochs) == 2
    assert eq.load(tmp_path / "run").metric("recall@5") == model.metric("recall@5")
    for changed, says in [
        ({"backbone": "vbprr"}, "vbpr"),
        ({"settings": {"train.lrr": 1}}, "lr"),
        ({"settings": {"train.lr": -1}}, "train.lr"),
        ({"settings": {"data.scale": "l2"}}, "data"),
        ({"backbone": {"width": 4}}, "no name"),
        ({"threads": 0}, "threads"),
        ({"threads": 1_000_000}, "threads = 1000000: expected 1 to 1024"),
        ({"settings": {"train.lr": float("nan")}}, "train.lr = nan, expected a finite number"),
        ({"settings": {"train.lr": "fast"}}, "expected a number$"),
        ({"settings": {"train": {"metric": object()}}}, "train.metric: object, expected a text"),
        ({"backbone": None}, "backbone: NoneType, expected a name"),
    ]:
        with pytest.raises(eq.ConfigError, match=says):
            eq.train(data, progress=False, **changed)
    with pytest.raises(eq.ModelError, match="choose another dir, or pass overwrite=True"):
        eq.train(data, settings=QUICK, dir=tmp_path / "run", progress=False)
    with pytest.raises(eq.ConfigError, match="expected a Dataset"):
        eq.train("data")


def test_numbers_of_numpy_are_numbers_and_no_balancer_is_none(data):
    import numpy as np

    plain = eq.train(data, seed=3, settings=QUICK, progress=False)
    settings = {**QUICK, "train.epochs": np.int64(QUICK["train.epochs"])}
    again = eq.train(data, balance=None, seed=np.uint8(3), settings=settings, progress=False)
    assert again.embeddings()[0].tobytes() == plain.embeddings()[0].tobytes()
    assert len(plain.recommend(users=plain.users[:1], n=np.int64(3))) == 3


def test_events_are_heard_in_their_order(data):
    events = []
    eq.train(data, balance="ckd", settings=QUICK, progress=events.append)
    kinds = [event["event"] for event in events]
    assert kinds.count("started") == kinds.count("finished") == 3
    epochs = [event["epoch"] for event in events if event["event"] == "epoch"]
    assert epochs[:5] == [0, 1, 2, 3, 4]


def test_a_terminal_gets_lines(data, capsys):
    eq.train(data, settings=QUICK)
    said = capsys.readouterr().err
    assert "at most 4 epochs" in said and "best" in said


def test_ctrl_c_keeps_the_best_epoch(data):
    def listen(event):
        if event["event"] == "epoch" and event["epoch"] == 3:
            threading.Timer(0.05, _thread.interrupt_main).start()

    with pytest.warns(UserWarning, match="best model so far"):
        model = eq.train(data, settings=LONG, progress=listen)
    assert model.report["ending"] == "interrupted"
    assert 3 <= model.report["epochs"] < 100000
    assert len(model.recommend(users=["u1"], n=3)) == 3


def test_ctrl_c_before_there_is_a_model_is_an_interrupt(data, tmp_path):
    def listen(event):
        if event["event"] == "epoch" and event["epoch"] == 1:
            _thread.interrupt_main()

    with pytest.raises(KeyboardInterrupt):
        eq.train(data, balance="ckd", settings=LONG, dir=tmp_path / "run", progress=listen)
    model = eq.train(data, balance="ckd", settings={**LONG, "train.epochs": 2}, dir=tmp_path / "other", progress=False)
    assert model.report["ending"] != "interrupted"


def test_other_threads_of_python_go_on_while_it_trains(data):
    counted, done = 0, threading.Event()

    def count():
        nonlocal counted
        while not done.is_set():
            counted += 1

    thread = threading.Thread(target=count)
    thread.start()
    try:
        eq.train(data, balance="ckd", settings={**QUICK, "train.epochs": 30}, progress=False)
    finally:
        done.set()
        thread.join()
    assert counted > 1000


def test_a_listener_that_fails_ends_the_training(data):
    def listen(event):
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        eq.train(data, settings=LONG, progress=listen)


def test_models_outlive_their_data_set(clicks, image):
    items = [f"i{item}" for item in range(len(image))]
    data = eq.Dataset.from_frames(clicks, items=items, features={"image": image}, split="mmrec", quiet=True)
    model = eq.train(data, settings=QUICK, progress=False)
    path = data.path
    del data
    assert path.exists()
    # New items need the features of the training.
    assert model.with_items(["new"], image=image[0], quiet=True).n_items == len(image) + 1
    del model
    assert not path.exists()


def test_nothing_but_numpy_is_needed():
    code = "import sys, equipoise; print(sorted({m.split('.')[0] for m in sys.modules} & {'polars', 'pandas', 'pyarrow', 'torch', 'tqdm'}))"
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
