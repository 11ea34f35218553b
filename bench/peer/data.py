"""A data set as tensors: train lists in compressed rows, held-out items, features.

Reads the layout `5-core/{train,val,test}.json` (user -> items) with `<modality>_feat.npy`
beside it, the one that the measured program reads too, so both see the same data.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch


@dataclass
class Data:
    """`users` x `items`; train items of user u are `columns[rows[u]:rows[u + 1]]`, ascending."""

    users: int
    items: int
    rows: np.ndarray
    columns: np.ndarray
    validation: dict
    features: list
    names: list

    def pairs(self):
        """User and item of every train interaction, user by user."""
        return np.repeat(np.arange(self.users), np.diff(self.rows)), self.columns


def compressed(users, pairs):
    """Rows and columns of (user, item) pairs, each user's items ascending."""
    pairs = np.asarray(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    counts = np.bincount(pairs[:, 0], minlength=users)
    return np.concatenate([[0], np.cumsum(counts)]), pairs[:, 1].copy()


def read(directory):
    """The data set of a directory."""
    directory = Path(directory)
    split = {}
    for name in ("train", "val"):
        text = (directory / "5-core" / f"{name}.json").read_text()
        split[name] = {int(u): items for u, items in json.loads(text).items()}
    paths = sorted(directory.glob("*_feat.npy"))
    features = [torch.as_tensor(np.load(path).astype(np.float32, copy=False)) for path in paths]
    pairs = [(u, i) for u, items in split["train"].items() for i in items]
    users = 1 + max(max(part) for part in split.values())
    rows, columns = compressed(users, pairs)
    names = [path.name.removesuffix("_feat.npy") for path in paths]
    held_out = {u: items for u, items in split["val"].items() if items}
    return Data(users, len(features[0]), rows, columns, held_out, features, names)
