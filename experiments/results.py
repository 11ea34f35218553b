#!/usr/bin/env python3
"""The tables of docs/results.md from what `equipoise reproduce` wrote.

    equipoise reproduce table1 ... --out paper          # then table2 and table3 with the same flags: the same runs
    python3 experiments/results.py paper [MORE ...] [--costs COSTS]    # Markdown, one section per table that is there

MORE are further folders, of other backbones on the same data: p values are corrected within each folder. COSTS is the
--out of a run made for its costs alone (`costs` below says how): seconds per epoch and memory are taken from there.
Nothing beyond Python's standard library.
"""
import argparse
import csv
import pathlib

BACKBONES = {"vbpr": "VBPR", "deepstyle": "DeepStyle", "mmgcn": "MMGCN", "grcn": "GRCN", "egogcn": "EgoGCN", "mgcn": "MGCN"}
METHODS = {
    "none": "plain",
    "gb": "GB",
    "ogm": "OGM",
    "ckd": "CKD",
    "ckd-no-generic": "CKD, no generic loss",
    "ckd-no-reweight": "CKD, no re-weighting",
    "ckd-kl": "CKD, KL divergence",
    "ckd-mse": "CKD, squared error",
}


def rows(path):
    """The lines of a CSV file; none if it is not there."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def spread(row):
    """mean ± standard deviation over seeds."""
    return f"{float(row['mean']):.4f} ± {float(row['deviation'] or 0):.4f}" if row["mean"] else row["problem"]


def percent(value):
    """A signed change, or nothing."""
    return f"{float(value) * 100:+.1f} %".replace("-", "−") if value else ""


def chance(value):
    """A p value, or nothing."""
    if not value:
        return ""
    return "<0.0001" if float(value) < 1e-4 else f"{float(value):.4f}"


def by_method(lines):
    """(backbone, method, their lines) in the order of the tables."""
    for backbone in BACKBONES:
        for method in METHODS:
            found = [r for r in lines if (r["backbone"], r["method"]) == (backbone, method)]
            if found:
                yield backbone, method, found


def table(header, body):
    """A Markdown table; a backbone's name stands in its first row alone."""
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    before = None
    for backbone, *fields in body:
        print("| " + " | ".join([BACKBONES[backbone] if backbone != before else "", *fields]) + " |")
        before = backbone
    print()


def metrics(lines, reference):
    """Table 1 or 3."""
    body = []
    for backbone, method, mine in by_method(lines):
        found = {r["quantity"]: r for r in mine}
        recall, ndcg = found["recall@20"], found.get("ndcg@20")
        fields = [backbone, METHODS[method], spread(recall)]
        tested = method != reference
        fields += [percent(recall["change"]), percent(recall["published_change"])] if tested else ["", ""]
        fields += [chance(recall["p_users"]), chance(recall["p_seeds"])]
        if ndcg:
            fields += [spread(ndcg), percent(ndcg["change"]) if tested else ""]
        body.append(fields)
    header = ["backbone", "method", "recall@20", "change", "in the paper", "p, users", "p, seeds"]
    table(header + (["NDCG@20", "change"] if any(len(b) > 7 for b in body) else []), body)


def channels(lines):
    """Table 2: a row per modality, a column per method."""
    methods = [m for m in METHODS if any(r["method"] == m for r in lines)]
    body = []
    for backbone in BACKBONES:
        mine = {(r["quantity"], r["method"]): r for r in lines if r["backbone"] == backbone}
        for quantity in dict.fromkeys(q for q, _ in mine):
            values = [mine.get((quantity, m)) for m in methods]
            teacher = mine.get((quantity, "teacher"))
            taught = mine.get((quantity, "ckd"))
            cells = [spread(v) if v else "" for v in values]
            change = percent(taught["change"]) if taught else ""
            level = f"{float(teacher['mean']):.4f}" if teacher and teacher["mean"] else ""
            body.append([backbone, quantity.split()[0], *cells, change, level])
    table(["backbone", "channel", *(METHODS[m] for m in methods), "change by CKD", "teacher"], body)


def costs(lines):
    """Seconds per epoch and peak memory, means over seeds. Made by, alone on the machine:

    equipoise reproduce table1 --methods none,ckd --seeds 1 --set train.epochs=3 --set train.reg=0.1 --set train.lr=0.005 \
        --set balance.ckd.lambda_g=1 --set balance.ckd.lambda_kd=0.5 --set train.batch_size=16384 ... --out COSTS
    """
    body = []
    for backbone, method, mine in by_method(lines):
        seconds, memory = (sum(float(r[k] or 0) for r in mine) / len(mine) for k in ("seconds_per_epoch", "peak_memory_bytes"))
        body.append([backbone, METHODS[method], f"{seconds:.2f}", f"{memory / 2**20:.0f}"])
    table(["backbone", "method", "seconds per epoch", "peak memory, MiB"], body)


def settings(lines):
    """What the searches found."""
    body = []
    for backbone, method, mine in by_method(lines):
        epochs = ", ".join(f"{float(r['epochs']):.0f}" for r in mine)
        body.append([backbone, METHODS[method], f"`{mine[0]['settings']}`", epochs])
    table(["backbone", "method", "settings found", "epochs of each seed"], body)


def main():
    """See the module."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("outs", nargs="+", type=pathlib.Path, metavar="OUT")
    arguments.add_argument("--costs", type=pathlib.Path, metavar="COSTS")
    given = arguments.parse_args()
    timed = [given.costs] if given.costs else given.outs
    for title, show, folders, name in [
        ("Plain and balanced", lambda r: metrics(r, "none"), given.outs, "table1.csv"),
        ("Channels and teachers", channels, given.outs, "table2.csv"),
        ("Parts of the distillation", lambda r: metrics(r, "ckd"), given.outs, "table3.csv"),
        ("Costs", costs, timed, "table1-costs.csv"),
        ("Settings found", settings, given.outs, "table1-costs.csv"),
    ]:
        lines = [row for folder in folders for row in rows(folder / name)]
        if lines:
            print(f"### {title}\n")
            show(lines)


if __name__ == "__main__":
    main()
