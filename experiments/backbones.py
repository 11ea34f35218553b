#!/usr/bin/env python3
"""The six built-in backbones on a real data set, plain and with CKD: tuning on validation, seeds, the table.

    cargo build --release
    python3 experiments/backbones.py tune  DATA OUT [--backbones vbpr mmgcn]   # writes OUT/<backbone>/best.json
    python3 experiments/backbones.py seeds DATA OUT [--backbones ...]          # plain, teachers and student, per seed
    python3 experiments/backbones.py table DATA OUT                            # Markdown, of the seeds that are done

The plain model's L2 penalty, then its learning rate, are searched on validation with one seed; the strength of
distillation is `--lambda-kd` and `--lambda-g` for every backbone of a data set. Only `table` reads test metrics.
Finished runs are not run again. Batches of 4,096: a step of a graph backbone reads the whole graph whatever the
batch. Needs nothing beyond Python's standard library.
"""
import argparse
import json
import pathlib

from real_data import paired_t, parallel, spread, train

BACKBONES = ["vbpr", "deepstyle", "mmgcn", "grcn", "egogcn", "mgcn"]
SEEDS = [1, 2, 3]
TUNING_SEED = 100
# Coordinate search: the first value of each list is where the other starts from.
REG = [1e-2, 1e-3, 1e-1]
LR = [3e-3, 1e-2, 1e-3]


def plain_settings(backbone, seed, point):
    return {
        "backbone.name": backbone,
        "seed": seed,
        "train.batch_size": 4096,
        "train.lr": point["lr"],
        "train.reg": point["reg"],
    }


def student_settings(args, backbone, seed, point):
    return {
        **plain_settings(backbone, seed, point),
        "balance.name": "ckd",
        "balance.ckd.lambda_kd": args.lambda_kd,
        "balance.ckd.lambda_g": args.lambda_g,
    }


def tune(args, backbone):
    """Coordinate search by validation recall@20: L2, then the learning rate."""
    out = args.out / backbone

    def measure(point):
        settings = plain_settings(backbone, TUNING_SEED, point)
        report = train(args, out / f"tune/{point['lr']}-{point['reg']}", settings)
        print(f"{backbone} {point}: {report['validation']['recall@20']:.5f}", flush=True)
        return report["validation"]["recall@20"]

    best = {"lr": args.lr[0], "reg": args.reg[0]}
    for name, values in (("reg", args.reg), ("lr", args.lr)):
        best = max(({**best, name: value} for value in values), key=measure)
    (out / "best.json").write_text(json.dumps(best))


def seeds(args, backbone):
    out = args.out / backbone
    point = json.loads((out / "best.json").read_text())
    for seed in SEEDS:
        train(args, out / f"seed{seed}/plain", plain_settings(backbone, seed, point))
        print(f"{backbone} seed {seed} plain done", flush=True)
        student = out / f"seed{seed}/ckd"
        train(args, student, student_settings(args, backbone, seed, point), out / f"seed{seed}/teachers")
        print(f"{backbone} seed {seed} CKD done", flush=True)


def reports(out, name):
    paths = [out / f"seed{seed}" / name / "metrics.json" for seed in SEEDS]
    return [json.loads(path.read_text()) for path in paths if path.exists()]


def table(args):
    header = None
    for backbone in BACKBONES:
        out = args.out / backbone
        plain, ckd = reports(out, "plain"), reports(out, "ckd")
        if min(len(plain), len(ckd)) < len(SEEDS):
            continue
        names = [name for name, _ in plain[0]["modalities"]]
        if header is None:
            header = ["backbone", "method", "recall@20", "NDCG@20", "gain", "p over seeds"]
            header += [f"{m} channel recall@20" for m in names] + ["teachers' recall@20"]
            print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
        recall = lambda runs: [r["test"]["recall@20"] for r in runs]
        channel = lambda runs, m: [r["ablations"][f"only {m}"]["recall@20"] for r in runs]
        for method, runs in (("plain", plain), ("CKD", ckd)):
            cells = [backbone, method, spread(recall(runs)), spread([r["test"]["ndcg@20"] for r in runs])]
            gain = sum(recall(ckd)) / sum(recall(plain)) - 1
            cells += ["", ""] if runs is plain else [f"{gain:+.1%}", f"{paired_t(recall(ckd), recall(plain)):.2g}"]
            cells += [spread(channel(runs, m)) for m in names]
            teachers = [recall(reports(out, f"teachers/{m}")) for m in names] if runs is ckd else []
            cells.append(", ".join(f"{m} {sum(t) / len(t):.4f}" for m, t in zip(names, teachers)))
            print("| " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=["tune", "seeds", "table"])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--backbones", nargs="+", choices=BACKBONES, default=BACKBONES)
    parser.add_argument("--reg", nargs="+", type=float, default=REG)
    parser.add_argument("--lr", nargs="+", type=float, default=LR)
    parser.add_argument("--lambda-kd", type=float, default=0.5)
    parser.add_argument("--lambda-g", type=float, default=1.0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--patience", type=int, default=3)
    args = parser.parse_args()
    if args.stage == "table":
        return table(args)
    work = {"tune": tune, "seeds": seeds}[args.stage]
    parallel(args.jobs, [lambda b=b: work(args, b) for b in args.backbones])


if __name__ == "__main__":
    main()
