"""Made-up data: users who like one of four kinds, pictures that say the kind, titles that name it."""

from __future__ import annotations

import signal

import numpy as np
import pytest

import equipoise as eq

KINDS = ["garden", "kitchen", "harbour", "orchestra"]
USERS, ITEMS = 80, 60


@pytest.fixture(autouse=True)
def interruptible():
    """Ctrl-C is heard also where the tests run in the background of a shell, which has SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def clicks() -> dict[str, list[object]]:
    rng = np.random.default_rng(7)
    users, items = [], []
    for user in range(USERS):
        liked = [item for item in range(ITEMS) if item % 4 == user % 4]
        for item in rng.choice(liked, 8, replace=False):
            users.append(f"u{user}")
            items.append(f"i{item}")
    return {"user": users, "item": items}


@pytest.fixture(scope="session")
def catalogue() -> dict[str, list[object]]:
    return {
        "item": [f"i{item}" for item in range(ITEMS)],
        "title": [f"a {KINDS[item % 4]} book, volume {item // 4}" for item in range(ITEMS)],
        "price": [float(item) for item in range(ITEMS)],
    }


@pytest.fixture(scope="session")
def image() -> np.ndarray:
    rng = np.random.default_rng(8)
    kinds = np.eye(4)[np.arange(ITEMS) % 4]
    return (np.concatenate([kinds, rng.normal(size=(ITEMS, 4))], axis=1)).astype(np.float32)


@pytest.fixture(scope="session")
def data(clicks, catalogue, image) -> eq.Dataset:
    return eq.Dataset.from_frames(
        clicks, items=catalogue, features={"image": image, "text": catalogue["title"]}, split="mmrec", quiet=True
    )


QUICK = {"train.epochs": 4, "train.lr": 5e-3, "backbone.width": 8, "train.metric": "recall@5"}


@pytest.fixture(scope="session")
def model(data) -> eq.Model:
    return eq.train(data, "vbpr", balance="ckd", seed=1, settings=QUICK, progress=False)
