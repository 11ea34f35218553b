"""Raw Amazon files to a data set with pandas and NumPy: what `equipoise data import amazon` does, written plainly.

Reviews (JSON lines, gzip) become a 5-core with ids by first appearance and the split of LATTICE (Zhang et al., MM 2021);
metadata (Python literals, gzip) becomes texts and categories; image features (records of 10 bytes of id and 4,096 float32)
become one row per item, the mean of the others where an item has none.
"""

import argparse
import ast
import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd

WIDTH = 4096


def read_reviews(path):
    users, items, times = [], [], []
    with gzip.open(path, "rt") as lines:
        for line in lines:
            if line.strip():
                review = json.loads(line)
                users.append(review["reviewerID"])
                items.append(review["asin"])
                times.append(review["unixReviewTime"])
    frame = pd.DataFrame({"user": users, "item": items, "time": times})
    return frame.drop_duplicates(["user", "item"])


def core(frame, k):
    while True:
        enough = (frame.groupby("user")["user"].transform("size") >= k) & (
            frame.groupby("item")["item"].transform("size") >= k
        )
        if enough.all():
            return frame.reset_index(drop=True)
        frame = frame[enough]


def held_out(n):
    """Validation and test interactions of a user with n."""
    if n < 3:
        return 0, 0
    if n < 10:
        return 1, 1
    k = n // 5
    return k - k // 2, k // 2


def split(frame, rng):
    train, validation, test = {}, {}, {}
    for user, rows in frame.groupby("user_index", sort=True)["item_index"]:
        rows = rows.to_numpy()
        n_validation, n_test = held_out(len(rows))
        places = rng.permutation(len(rows))
        test[user] = rows[places[:n_test]].tolist()
        validation[user] = rows[places[n_test : n_test + n_validation]].tolist()
        train[user] = rows[np.sort(places[n_test + n_validation :])].tolist()
    return train, validation, test


def as_text(value):
    if isinstance(value, list):
        return " ".join(as_text(part) for part in value)
    return str(value)


def read_meta(path, known):
    seen = set()
    with gzip.open(path, "rt") as lines:
        for line in lines:
            if not line.strip():
                continue
            meta = ast.literal_eval(line)
            asin = meta["asin"]
            if asin not in known or asin in seen:
                continue
            seen.add(asin)
            parts = [as_text(meta[key]) for key in ("title", "description", "categories", "brand") if key in meta]
            paths = meta.get("categories") or [[]]
            yield asin, " ".join(parts).replace("\n", " "), paths[0]


def write_images(path, items, out):
    record = np.dtype([("id", "S10"), ("row", "<f4", WIDTH)])
    records = np.memmap(path, dtype=record, mode="r")
    places = {}
    for place, raw in enumerate(records["id"]):
        places.setdefault(raw.decode(), place)
    features = np.empty((len(items), WIDTH), dtype=np.float32)
    missing = [index for index, asin in enumerate(items) if asin not in places]
    total = np.zeros(WIDTH)
    for index, asin in enumerate(items):
        if asin in places:
            features[index] = records["row"][places[asin]]
            total += features[index]
    features[missing] = (total / (len(items) - len(missing))).astype(np.float32)
    np.save(out / "image_feat.npy", features)
    (out / "image_missing.json").write_text(json.dumps(missing))
    return len(missing)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviews", type=Path, required=True)
    parser.add_argument("--meta", type=Path, required=True)
    parser.add_argument("--image-features", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=123)
    args = parser.parse_args()

    frame = core(read_reviews(args.reviews), 5)
    frame["user_index"], users = pd.factorize(frame["user"])
    frame["item_index"], items = pd.factorize(frame["item"])
    parts = split(frame, np.random.default_rng(args.seed))
    folder = args.out / "5-core"
    folder.mkdir(parents=True)
    for name, part in zip(("train", "val", "test"), parts):
        (folder / f"{name}.json").write_text(json.dumps(part))
    for name, ids in (("user_list", users), ("item_list", items)):
        (folder / f"{name}.txt").write_text("".join(f"{raw}\t{index}\n" for index, raw in enumerate(ids)))

    known = {raw: index for index, raw in enumerate(items)}
    categories, texts = {}, 0
    with open(args.out / "texts.jsonl", "w") as out:
        for asin, text, path in read_meta(args.meta, known):
            if text.strip():
                texts += 1
                out.write(json.dumps({"id": asin, "text": text}) + "\n")
            if path:
                categories[known[asin]] = path
    (folder / "categories.json").write_text(json.dumps(categories))
    without = write_images(args.image_features, list(items), args.out)

    sizes = [sum(len(rows) for rows in part.values()) for part in parts]
    counts = [len(users), len(items), len(frame), *sizes, texts, len(categories), without]
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
