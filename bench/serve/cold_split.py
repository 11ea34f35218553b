"""Takes a share of the items out of a data set in the layout of LATTICE, with everything that users did with them.

    cold_split.py DATA OUT [--share 0.1] [--seed 0]

OUT/warm is a data set of the other items, numbered anew; OUT/cold has the features of the items that were taken out
(<modality>_feat.npy and the ids of its rows: "cold 17" was item 17), items.jsonl with their ids, and truth.json: for each user
with a train item left, the items taken out that the user took in any of the three splits.
"""

import argparse
import json
from pathlib import Path

import numpy as np

SPLITS = ["train", "val", "test"]


def cold_id(item):
    return f"cold {item}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    splits = {name: json.loads((args.data / "5-core" / f"{name}.json").read_text()) for name in SPLITS}
    features = {path.name: np.load(path) for path in sorted(args.data.glob("*_feat.npy"))}
    n = len(next(iter(features.values())))
    taken = {item for users in splits.values() for items in users.values() for item in items}
    known = np.array(sorted(taken))
    cold = set(np.random.default_rng(args.seed).permutation(known)[: round(args.share * len(known))].tolist())
    warm = [item for item in range(n) if item not in cold]
    place = {item: k for k, item in enumerate(warm)}
    (args.out / "warm" / "5-core").mkdir(parents=True, exist_ok=True)
    (args.out / "cold").mkdir(exist_ok=True)
    for name, users in splits.items():
        left = {user: [place[i] for i in items if i not in cold] for user, items in users.items()}
        (args.out / "warm" / "5-core" / f"{name}.json").write_text(json.dumps(left))
    rows = sorted(cold)
    for name, matrix in features.items():
        np.save(args.out / "warm" / name, matrix[warm])
        np.save(args.out / "cold" / name, matrix[rows])
        ids = args.out / "cold" / name.replace(".npy", "_ids.json")
        ids.write_text(json.dumps([cold_id(item) for item in rows]))
    (args.out / "cold" / "items.jsonl").write_text("".join(json.dumps({"id": cold_id(i)}) + "\n" for i in rows))
    truth = {}
    for user, items in splits["train"].items():
        wanted = {i for name in SPLITS for i in splits[name].get(user, []) if i in cold}
        if wanted and any(item not in cold for item in items):
            truth[user] = sorted(cold_id(item) for item in wanted)
    (args.out / "cold" / "truth.json").write_text(json.dumps(truth))
    print(f"{len(warm)} items stay, {len(cold)} are taken out; {len(truth)} users took some of them")


if __name__ == "__main__":
    main()
