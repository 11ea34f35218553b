"""Copies of a data set in which features are made to say less, or too much: controls for what a balancer is worth.

    python controls.py DATA OUT KIND [--seed N]

KIND is `shuffled:NAME` (the rows of one modality change places among the items), `shuffled` (those of every modality, each by an order
of its own), `fused` (all modalities side by side as one, each divided by its deviation), `loud:NAME` (one modality times 100) or
`without:NAME` (one modality is left out).
Interactions stay what they are. DATA is a directory with `5-core/` and `<modality>_feat.npy`.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np


def modalities(data):
    """Names and files of the features, in order."""
    return {path.name.removesuffix("_feat.npy"): path for path in sorted(data.glob("*_feat.npy"))}


def items_of(data, name, rows):
    """The items of the rows; the rows' own numbers where no file says."""
    path = data / f"{name}_feat_ids.json"
    return json.loads(path.read_text())["ids"] if path.exists() else list(range(rows))


def order(data, name, values):
    """Rows in the order of `item_list.txt`, if there is a list of items."""
    listed = data / "5-core" / "item_list.txt"
    items = items_of(data, name, len(values))
    if not listed.exists() or items == list(range(len(values))):
        return values
    place = {item: row for row, item in enumerate(items)}
    names = [line.split()[0] for line in listed.read_text().splitlines()]
    return values[[place[item] for item in names]]


def changed(kind, features, seed):
    """Features by name under a control."""
    what, _, name = kind.partition(":")
    if what != "fused" and name and name not in features:
        raise SystemExit(f"{kind}: no modality `{name}`; expected one of {', '.join(features)}")
    if what == "shuffled":
        rng = np.random.default_rng(seed)
        orders = {m: rng.permutation(len(values)) for m, values in features.items()}
        return {m: v[orders[m]] if name in ("", m) else v for m, v in features.items()}
    if what == "loud" and name:
        return {m: v * np.float32(100.0) if m == name else v for m, v in features.items()}
    if what == "without" and name and len(features) > 1:
        return {m: v for m, v in features.items() if m != name}
    if kind == "fused":
        scaled = [v / np.maximum(v.std(), 1e-12) for v in features.values()]
        return {"fused": np.concatenate(scaled, axis=1).astype(np.float32)}
    raise SystemExit(f"{kind}: expected shuffled, shuffled:NAME, fused, loud:NAME or, beside others, without:NAME")


def main():
    """Reads, changes and writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("kind")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = modalities(given.data)
    features = {name: order(given.data, name, np.load(path)) for name, path in found.items()}
    given.out.mkdir(parents=True)
    shutil.copytree(given.data / "5-core", given.out / "5-core")
    for name, values in changed(given.kind, features, given.seed).items():
        np.save(given.out / f"{name}_feat.npy", values)


if __name__ == "__main__":
    main()
