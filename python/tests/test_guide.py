"""Runs what the guide and the README show, as it stands there."""

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]


def blocks(text, name):
    return re.findall(rf"<!-- run: {name} -->\n```python\n(.*?)```", text, flags=re.DOTALL)


@pytest.fixture
def shop(tmp_path, monkeypatch, clicks, catalogue, image):
    """The files that the examples name."""
    pl.DataFrame(clicks).write_parquet(tmp_path / "clicks.parquet")
    pl.DataFrame(catalogue).write_parquet(tmp_path / "books.parquet")
    np.save(tmp_path / "img.npy", image)
    np.save(tmp_path / "new.npy", image[3])
    monkeypatch.chdir(tmp_path)


def run(parts):
    names = {}
    for part in parts:
        exec(compile(part, "docs/python.md", "exec"), names)
    return names


def quick(parts):
    """The same with few epochs: what is shown trains until nothing improves."""
    return [part.replace("seed=1)", 'seed=1, settings={"train.epochs": 3})') for part in parts]


def test_the_readme_runs(shop):
    parts = blocks((ROOT / "README.md").read_text(), "shop")
    assert len(parts) == 1
    names = run(quick(parts))
    assert len(names["recs"]) == 40 and len(names["cold"]) == 20


def test_the_guide_runs(shop, capsys):
    text = (ROOT / "docs" / "python.md").read_text()
    shown = blocks(text, "shop")
    assert len(shown) == 5
    names = run(quick(shown))
    assert "which row is whose" in capsys.readouterr().out
    assert names["grown"].n_items == names["model"].n_items + 1
    try:
        import torch  # noqa: F401
    except (ImportError, OSError, ValueError) as error:
        pytest.skip(f"the part about PyTorch: {error}")
    parts = blocks(text, "torch")
    assert len(parts) == 3
    for part in parts:
        exec(compile(part, "docs/python.md", "exec"), names)
    assert sum(names["taught"].weights.weight.tolist()) == pytest.approx(1.0)


def test_the_guide_to_clusters_runs(shop, clicks, image, monkeypatch):
    import os

    import equipoise as eq

    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    if "EQUIPOISE_PROGRAM" not in os.environ:
        monkeypatch.setenv("EQUIPOISE_PROGRAM", str(target / "debug" / "equipoise"))
    items = [f"i{item}" for item in range(len(image))]
    eq.Dataset.from_frames(clicks, items=items, features={"image": image}, split="mmrec", quiet=True, save_to="data")
    parts = blocks((ROOT / "docs" / "cluster.md").read_text(), "cluster")
    assert len(parts) == 2
    names = run(parts)
    assert len(names["models"]) == 3 and Path("array.sh").read_text().startswith("#!/usr/bin/env bash")
