"""Ranks users through exports and compares with the program's own lists, items of nearly equal scores aside.

    check_exports.py EQUIPOISE MODEL WORK [--users 1000] [--n 20]

EQUIPOISE is the program, MODEL a run or a served model, WORK a new directory. Parquet and npy are ranked by NumPy, Qdrant's points by
the local mode of its Python client, PostgreSQL's rows by a server with pgvector (of the package pgserver) and again with plain arrays.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

TOLERANCE = 1e-5


def export(program, model, target, out, *more):
    done = subprocess.run([program, "export", model, "--to", target, "--out", out, "--format", "json", "-q", *more],
                          check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def own_lists(program, model, users, n, work):
    request = work / "request.json"
    request.write_text(json.dumps({"users": users, "n": n}))
    done = subprocess.run([program, "recommend", model, "--request", request, "--format", "json", "-q"],
                          check=True, capture_output=True, text=True)
    return [[(item["id"], item["score"]) for item in found["items"]] for found in json.loads(done.stdout)["lists"]]


def compare(name, ours, theirs, started):
    """Lists are equal if at each place the items are the same, or the scores are within the tolerance of each other."""
    same = ties = 0
    for own, other in zip(ours, theirs, strict=True):
        assert len(own) == len(other), f"{name}: a list of {len(other)} items, expected {len(own)}"
        scores = dict(own)
        for (a, score), (b, found) in zip(own, other, strict=True):
            bound = TOLERANCE * max(1.0, abs(score))
            assert abs(score - found) <= bound, f"{name}: score {found}, expected {score}"
            if a == b:
                same += 1
            else:
                # Either both lists have the item within the tie, or it stands at the tie at the end of the list.
                assert abs(scores.get(b, own[-1][1]) - found) <= 2 * bound, f"{name}: {b} for {a}"
                ties += 1
    print(f"{name}: {len(ours)} users, {same} places equal, {ties} in ties, {time.time() - started:.1f} s", flush=True)


def ranked(users, items, item_ids, seen, n):
    lists = []
    for vector, met in zip(users, seen, strict=True):
        scores = items @ vector
        scores[list(met)] = -np.inf
        best = np.argsort(-scores, kind="stable")[:n]
        lists.append([(item_ids[i], float(scores[i])) for i in best if np.isfinite(scores[i])])
    return lists


def of_parquet(out, chosen, n):
    vectors = lambda table: np.stack(table["vector"].combine_chunks().flatten().to_numpy().reshape(len(table), -1))
    users, items, seen = (pq.read_table(out / f"{name}.parquet") for name in ["users", "items", "seen"])
    item_ids, user_ids = items["item"].to_pylist(), users["user"].to_pylist()
    place, rows = {item: k for k, item in enumerate(item_ids)}, {user: k for k, user in enumerate(user_ids)}
    met = {user: set() for user in chosen}
    for user, item in zip(seen["user"].to_pylist(), seen["item"].to_pylist(), strict=True):
        if user in met:
            met[user].add(place[item])
    own = vectors(users)[[rows[user] for user in chosen]]
    return ranked(own, vectors(items), item_ids, [met[user] for user in chosen], n)


def of_npy(out, chosen, n):
    users, items = np.load(out / "users.npy"), np.load(out / "items.npy")
    user_ids, item_ids = (json.loads((out / f"{name}_ids.json").read_text()) for name in ["user", "item"])
    rows = {user: k for k, user in enumerate(user_ids)}
    description = json.loads((out / "export.json").read_text())
    parts = sum(part["coefficient"] * np.load(out / f"users.{file}.npy") @ np.load(out / f"items.{file}.npy")[:50].T
                for part, file in zip(description["parts"], description["part_files"], strict=True))
    assert np.abs(parts - users @ items[:50].T).max() < 1e-4, "the parts do not add up"
    met = {rows[user]: set() for user in chosen}
    for split in ["train", "validation"]:
        for user, item in np.load(out / f"seen.{split}.npy"):
            if user in met:
                met[user].add(item)
    places = [rows[user] for user in chosen]
    return ranked(users[places], items, item_ids, [met[place] for place in places], n)


def of_qdrant(out, chosen, n):
    from qdrant_client import QdrantClient, models

    client = QdrantClient(":memory:")
    body = json.loads((out / "collection.json").read_text())["vectors"]
    client.create_collection("shop", vectors_config=models.VectorParams(**{**body, "distance": models.Distance.DOT}))
    batch = []
    for line in (out / "points.jsonl").open():
        batch.append(models.PointStruct(**json.loads(line)))
        if len(batch) == 512:
            client.upsert("shop", batch)
            batch = []
    client.upsert("shop", batch)
    wanted, lists = set(chosen), {}
    for line in (out / "queries.jsonl").open():
        query = json.loads(line)
        if query["user"] in wanted:
            unseen = models.Filter(must_not=[models.HasIdCondition(has_id=query["seen"])])
            found = client.query_points("shop", query=query["vector"], query_filter=unseen, limit=n).points
            lists[query["user"]] = [(point.payload["item"], point.score) for point in found]
    return [lists[user] for user in chosen]


def of_postgres(server, out, chosen, n, script):
    from pgserver import _commands

    psql = Path(_commands.__file__).parent / "pginstall" / "bin" / "psql"
    run = lambda *args, **kw: subprocess.run([psql, "-q", "-v", "ON_ERROR_STOP=1", server.get_uri(), *args], check=True, cwd=out,
                                             capture_output=True, text=True, **kw).stdout
    run("-c", "DROP SCHEMA IF EXISTS equipoise CASCADE")
    run("-f", script)
    score = "-(i.embedding <#> u.embedding)" if script == "load.sql" else "equipoise.score(i.embedding, u.embedding)"
    asked = out / "asked.copy"
    escaped = [user.replace("\\", "\\\\").replace("\t", "\\t") for user in chosen]
    asked.write_text("".join(f"{k}\t{user}\n" for k, user in enumerate(escaped)))
    text = run("-A", "-t", "-F", "\t", input=f"""
        CREATE TEMPORARY TABLE asked (k integer, id text);
        \\copy asked FROM 'asked.copy'
        SELECT a.k, best.id, best.score FROM asked a JOIN equipoise.users u ON u.id = a.id CROSS JOIN LATERAL (
          SELECT i.id, {score} AS score FROM equipoise.items i
          WHERE NOT EXISTS (SELECT FROM equipoise.seen s WHERE s.user_place = u.place AND s.item_place = i.place)
          ORDER BY {score} DESC, i.place LIMIT {n}) best ORDER BY a.k, best.score DESC;
        """)
    lists = [[] for _ in chosen]
    for line in text.splitlines():
        k, item, value = line.split("\t")
        lists[int(k)].append((item, float(value)))
    if script == "load.sql":
        # The example that is written beside the rows says the same.
        example = run("-A", "-t", "-F", "\t", "-v", f"user={chosen[0]}", "-v", f"n={n}", "-f", "query.sql")
        assert [line.split("\t")[0] for line in example.splitlines()] == [item for item, _ in lists[0]]
    return lists


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--n", type=int, default=20)
    args = parser.parse_args()
    args.work.mkdir(parents=True)
    args.work = args.work.resolve()
    program = args.program.resolve()
    export(program, args.model, "npy", args.work / "npy")
    user_ids = json.loads((args.work / "npy" / "user_ids.json").read_text())
    drawn = np.random.default_rng(0).permutation(len(user_ids))[: args.users]
    chosen = [user_ids[k] for k in sorted(drawn.tolist())]
    ours = own_lists(program, args.model, chosen, args.n, args.work)
    compare("npy in NumPy", ours, of_npy(args.work / "npy", chosen, args.n), time.time())
    for target in ["parquet", "qdrant", "postgres"]:
        export(program, args.model, target, args.work / target)
    started = time.time()
    compare("Parquet in NumPy", ours, of_parquet(args.work / "parquet", chosen, args.n), started)
    started = time.time()
    compare("Qdrant, local mode", ours, of_qdrant(args.work / "qdrant", chosen, args.n), started)
    import pgserver

    server = pgserver.get_server(args.work / "database")
    try:
        version = server.psql("SELECT version();").splitlines()[2].strip().split(" on ")[0]
        for script, way in [("load.sql", "pgvector"), ("plain.sql", "plain arrays")]:
            started = time.time()
            few = chosen if script == "load.sql" else chosen[:100]
            lists = of_postgres(server, args.work / "postgres", few, args.n, script)
            if script == "load.sql":
                way += " " + server.psql("SELECT extversion FROM pg_extension WHERE extname = 'vector';").splitlines()[2].strip()
            compare(f"{version}, {way}", ours[: len(few)], lists, started)
    finally:
        server.cleanup()


if __name__ == "__main__":
    sys.exit(main())
