#!/usr/bin/env python3
"""VBPR on a real data set: tuning on validation, then plain, teachers and CKD over seeds.

    cargo build --release
    python3 experiments/real_data.py tune  DATA OUT          # search on validation, writes OUT/best.json
    python3 experiments/real_data.py seeds DATA OUT          # final runs with the settings of best.json
    python3 experiments/real_data.py table DATA OUT          # the table, Markdown on stdout

Only `table` reads test metrics; `tune` reads `validation` alone. Finished runs are not run again.
Needs nothing beyond Python's standard library. `--jobs N` runs N processes of one thread each (default 2);
`--patience N` stops after N evaluations (of 5 epochs each) without improvement: small validation sets need more.
"""
import argparse
import concurrent.futures
import json
import math
import os
import pathlib
import subprocess
import sys

PROGRAM = os.environ.get("EQUIPOISE", pathlib.Path(__file__).resolve().parent.parent / "target/release/equipoise")
SEEDS = [1, 2, 3, 4, 5]
TUNING_SEED = 100
COMMON = {"train.eval_every": 5, "train.channels": "false"}
# Coordinate search: the first value of each list is where the others start from.
REG = [1e-1, 1e-2, 3e-2, 3e-1]
LR = [1e-3, 5e-4, 2e-3, 5e-3]
# Distillation adds to the pull of the data, so the student's penalty is searched anew, as a multiple of its teachers'.
REG_FACTOR = [1, 2]
LAMBDA_G = [1, 1e-1]
LAMBDA_KD = [5e-1, 1e-1, 2]
WEIGHTS = ["paper", "released"]


def train(args, out, settings, teachers=None):
    """Trains one run unless it is there; returns its metrics.json."""
    metrics = out / "metrics.json"
    if not metrics.exists():
        command = [PROGRAM, "train", "--quiet", "--threads", "1", "--overwrite", "--data", args.data, "--out", out]
        settings = {**COMMON, "train.patience": args.patience, **settings}
        command += [f"--set={key}={value}" for key, value in settings.items()]
        command += ["--teachers", teachers] if teachers else []
        done = subprocess.run([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{out}: {done.stderr}")
    return json.loads(metrics.read_text())


def parallel(jobs, tasks):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda task: task(), tasks))


def plain_settings(seed, best):
    return {"seed": seed, "train.lr": best["lr"], "train.reg": best["reg"]}


def student_settings(seed, best, point, weights):
    """CKD with the plain model's settings for its teachers, and a penalty of its own."""
    return {
        **plain_settings(seed, best),
        "train.reg": best["reg"] * point["reg_factor"],
        "balance.name": "ckd",
        "balance.teacher.reg": best["reg"],
        "balance.ckd.lambda_kd": point["lambda_kd"],
        "balance.ckd.lambda_g": point["lambda_g"],
        "balance.ckd.weights": weights,
    }


def tune(args):
    """Coordinate search by validation recall@20: L2 then lr of the plain model, then lambda_kd and lambda_g."""

    def search(name, jobs, run, *lists):
        """Best point of a coordinate search, varying one list after another."""
        best = [values[0] for values in lists]
        for k, values in enumerate(lists):
            points = [best[:k] + [v] + best[k + 1 :] for v in values]
            scores = parallel(jobs, [lambda p=p: run(*p) for p in points])
            for point, score in zip(points, scores):
                print(f"{name} {point}: {score:.5f}", flush=True)
            best = points[scores.index(max(scores))]
        return best

    def plain(reg, lr):
        settings = plain_settings(TUNING_SEED, {"lr": lr, "reg": reg})
        return train(args, args.out / f"tune/plain-{lr}-{reg}", settings)["validation"]["recall@20"]

    reg, lr = search("plain [reg, lr]", args.jobs, plain, REG, LR)
    best = {"lr": lr, "reg": reg}
    teachers = args.out / f"tune/teachers-{lr}-{reg}"

    def student(factor, g, kd):
        point = {"reg_factor": factor, "lambda_g": g, "lambda_kd": kd}
        settings = student_settings(TUNING_SEED, best, point, "paper")
        out = args.out / f"tune/ckd-{lr}-{reg}-{factor}-{kd}-{g}"
        return train(args, out, settings, teachers)["validation"]["recall@20"]

    student(REG_FACTOR[0], LAMBDA_G[0], LAMBDA_KD[0])  # trains the teachers that the others use
    factor, g, kd = search("ckd [reg factor, lambda_g, lambda_kd]", args.jobs, student, REG_FACTOR, LAMBDA_G, LAMBDA_KD)
    # The released weights sum to 2, the paper's to 1: half of lambda_kd is the same strength.
    best["paper"] = {"reg_factor": factor, "lambda_kd": kd, "lambda_g": g}
    best["released"] = {"reg_factor": factor, "lambda_kd": kd / 2, "lambda_g": g}
    (args.out / "best.json").write_text(json.dumps(best, indent=2))
    print(json.dumps(best))


def seeds(args):
    best = json.loads((args.out / "best.json").read_text())

    def plain(seed):
        train(args, args.out / f"seed{seed}/plain", plain_settings(seed, best))

    def student(seed, weights):
        settings = student_settings(seed, best, best[weights], weights)
        train(args, args.out / f"seed{seed}/ckd-{weights}", settings, args.out / f"seed{seed}/teachers")
        print(f"seed {seed} {weights} done", flush=True)

    parallel(args.jobs, [lambda s=s: plain(s) for s in SEEDS])
    for weights in WEIGHTS:
        parallel(args.jobs, [lambda s=s, w=weights: student(s, w) for s in SEEDS])


def incomplete_beta(a, b, x):
    """Regularised incomplete beta function by its continued fraction (Lentz)."""
    if x in (0.0, 1.0):
        return x
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d, h = 1.0, 1 - (a + b) * x / (a + 1), 0.0
    d = 1 / d
    h = d
    for m in range(1, 300):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + numerator * d)
            c = 1 + numerator / c
            h *= c * d
    return front * h


def paired_t(a, b):
    """Two-sided p-value of the paired t test over seeds."""
    x = [v - w for v, w in zip(a, b)]
    mean = sum(x) / len(x)
    variance = sum((v - mean) ** 2 for v in x) / (len(x) - 1)
    if variance == 0:
        return 0.0 if mean else 1.0
    t, df = mean / math.sqrt(variance / len(x)), len(x) - 1
    return incomplete_beta(df / 2, 0.5, df / (df + t * t))


def spread(values, digits=4):
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))
    return f"{mean:.{digits}f} ± {deviation:.{digits}f}"


def load(out, name):
    return [json.loads((out / f"seed{s}" / name / "metrics.json").read_text()) for s in SEEDS]


def table(args):
    plain = load(args.out, "plain")
    modalities = [name for name, _ in plain[0]["modalities"]]
    done = [w for w in WEIGHTS if all((args.out / f"seed{s}/ckd-{w}/metrics.json").exists() for s in SEEDS)]
    runs = {"plain": plain, **{f"CKD `{w}`": load(args.out, f"ckd-{w}") for w in done}}
    channel = lambda reports, m: [r["ablations"][f"only {m}"]["recall@20"] for r in reports]
    value = lambda reports, metric: [r["test"][metric] for r in reports]
    header = ["model", "recall@20", "ndcg@20", "precision@20", "p over seeds (recall@20)"]
    header += [f"{m} channel recall@20" for m in modalities]
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for name, reports in runs.items():
        cells = [name] + [spread(value(reports, m)) for m in ("recall@20", "ndcg@20")]
        cells.append(spread(value(reports, "precision@20"), 5))
        p = paired_t(value(reports, "recall@20"), value(plain, "recall@20"))
        cells.append("-" if reports is plain else f"{p:.2g}")
        for m in modalities:
            p = paired_t(channel(reports, m), channel(plain, m))
            cells.append(spread(channel(reports, m)) + ("" if reports is plain else f" (p {p:.2g})"))
        print("| " + " | ".join(cells) + " |")
    for m in modalities:
        reports = load(args.out, f"teachers/{m}")
        cells = [f"teacher {m}"] + [spread(value(reports, k)) for k in ("recall@20", "ndcg@20")]
        cells += [spread(value(reports, "precision@20"), 5), "-"]
        cells += [spread(value(reports, "recall@20")) if k == m else "-" for k in modalities]
        print("| " + " | ".join(cells) + " |")
    popular = plain[0]["popularity"]
    print(f"\nPopularity alone: recall@20 {popular['recall@20']:.4f}, ndcg@20 {popular['ndcg@20']:.4f}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=["tune", "seeds", "table"])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--patience", type=int, default=4)
    args = parser.parse_args()
    {"tune": tune, "seeds": seeds, "table": table}[args.stage](args)


if __name__ == "__main__":
    main()
