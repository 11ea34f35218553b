"""The whole job on VBPR: a teacher per modality, then the student, each to its early stop.

`python -m peer.job DATA FORM` prints a JSON line per model: seconds, epochs, best validation
recall@20; then one for the job. `--epochs` ends each model early, to estimate a form from its
seconds per epoch.
"""

import argparse
import time

import torch

from . import ckd, evaluate, measure
from .data import read
from .models.vbpr import Vbpr
from .step import Step


def recall(model, p, primary, blocks):
    """Validation recall@20 of the model's own ablation."""
    tables = evaluate.tables(model, p, primary)
    if blocks is None:
        return evaluate.loops(model.data, *tables)[0]
    return blocks.recall(*tables)


def train(model, what, primary, taught, given, blocks):
    """Trains one model; gives its best tables' parameters and the epochs done."""
    start, seed = time.perf_counter(), given.seed + sum(map(ord, what))
    p = model.parameters(torch.Generator().manual_seed(seed))
    step = Step(model, p, primary, taught, seed, given.lr)
    best, kept, waiting, epoch = 0.0, None, 0, 0
    while epoch < given.epochs and waiting < given.patience:
        epoch += 1
        for _ in range(step.per_epoch()):
            step.step()
        value = recall(model, p, primary, blocks)
        waiting += 1
        if value > best:
            best, waiting = value, 0
            kept = {name: table.detach().clone() for name, table in p.items()}
    seconds = time.perf_counter() - start
    measure.report(who=model.form, what=what, seconds=seconds, epochs=epoch, best=best)
    return kept, epoch


def main():
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("form")
    for name, value in (("epochs", 1000), ("patience", 10), ("seed", 42), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--lr", type=float, default=5e-4)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    start, data, epochs = time.perf_counter(), read(given.data), 0
    model, n = Vbpr(data, given.form), len(data.names)
    blocks = None if given.form == "released" else evaluate.Blocks(data)
    taught = []
    for m, name in enumerate(data.names):
        primary = ckd.only(m, n)
        kept, done = train(model, name, primary, (), given, blocks)
        taught.append(evaluate.tables(model, kept, primary))
        epochs += done
    _, done = train(model, "student", frozenset(), taught, given, blocks)
    measure.report(
        who=given.form,
        what="job",
        seconds=time.perf_counter() - start,
        epochs=epochs + done,
        peak_mib=measure.peak_mib(),
    )


if __name__ == "__main__":
    main()
