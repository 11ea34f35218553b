"""Ranks items that were not in training, among each other, for users who took them.

    cold.py EQUIPOISE RUN COLD [--k 20]

RUN was trained on the warm part that cold_split.py made, COLD is its cold part. The items are added with `equipoise items add`;
recall@k is the mean over users of (items taken that are among the best k cold items) / (items taken). Beside it:

* content kNN: the mean cosine of an item to the user's train items, in the concatenation of the modalities, each at length 1,
  and in each modality alone;
* popularity: all cold items have the same popularity, none, so that a popularity ranking is a random one; its expectation is
  k / (number of cold items).
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np


def run(program, *args):
    done = subprocess.run([program, *args, "--format", "json", "-q"], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def recall(scores, wanted, k):
    """Scores are users x items; of equal scores the item that comes first ranks first."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.array([len(set(row.tolist()) & own) / len(own) for row, own in zip(best, wanted, strict=True)])


def beside(recalls, others):
    """Mean, and the difference of `recalls` from it with the standard error of the paired differences over users."""
    difference = recalls - others
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return {"recall": round(float(others.mean()), 4), "items added less this": f"{difference.mean():+.4f} +- {error:.4f}"}


def unit(rows):
    rows = rows.astype(np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("cold", type=Path)
    parser.add_argument("--k", type=int, default=20)
    args = parser.parse_args()
    truth = json.loads((args.cold / "truth.json").read_text())
    ids = [json.loads(line)["id"] for line in (args.cold / "items.jsonl").open()]
    place = {item: k for k, item in enumerate(ids)}
    names = sorted(path.name.removesuffix("_feat.npy") for path in args.cold.glob("*_feat.npy"))
    with tempfile.TemporaryDirectory() as work:
        grown, out = Path(work) / "grown", Path(work) / "npy"
        features = [flag for name in names for flag in ["--features", f"{name}={args.cold / f'{name}_feat.npy'}"]]
        added = run(args.program, "items", "add", args.run, "--items", args.cold / "items.jsonl", *features, "--out", grown)
        run(args.program, "export", grown, "--to", "npy", "--out", out)
        user_ids = json.loads((out / "user_ids.json").read_text())
        item_ids = json.loads((out / "item_ids.json").read_text())
        assert item_ids[-len(ids):] == ids
        rows = {user: k for k, user in enumerate(user_ids)}
        users = [user for user in truth if user in rows]
        wanted = [{place[item] for item in truth[user]} for user in users]
        places = np.array([rows[user] for user in users])
        own = recall(np.load(out / "users.npy")[places] @ np.load(out / "items.npy")[-len(ids):].T, wanted, args.k)
        weights = json.loads((out / "export.json").read_text())["weights"]
        error = own.std(ddof=1) / np.sqrt(len(own))
        found = {"items added": f"{own.mean():.4f} +- {error:.4f}"}
        met = {k: [] for k in places.tolist()}
        for user, item in np.load(out / "seen.train.npy"):
            if user in met:
                met[user].append(item)
    warm = args.cold.parent / "warm"
    content = {name: (unit(np.load(warm / f"{name}_feat.npy")), unit(np.load(args.cold / f"{name}_feat.npy"))) for name in names}
    content["all modalities"] = tuple(np.hstack([content[name][side] for name in names]) for side in (0, 1))
    for name, (old, new) in content.items():
        profiles = np.stack([unit(old[met[k]]).mean(axis=0) for k in places.tolist()])
        found[f"content kNN, {name}"] = beside(own, recall(profiles @ unit(new).T, wanted, args.k))
    found["popularity (random)"] = args.k / len(ids)
    print(json.dumps({"users": len(users), "cold items": len(ids), "k": args.k, "weights": weights, "maps": added["placed"], "recall": found}, indent=2))


if __name__ == "__main__":
    main()
