"""Times steps and one evaluation: `python -m peer.steps DATA BACKBONE KIND FORM`.

KIND is `plain`, `teacher` (modality 0 kept) or `ckd`; FORM is `released` or `tuned`. Prints one
JSON line: seconds of every timed step, of every evaluation, peak memory.
"""

import argparse
import time

import torch

from . import ckd, evaluate, measure
from .data import read
from .models import BACKBONES
from .step import Step

# Users that Python loops rank; their time is scaled to all users.
LOOPED = 1024


def teachers(data, n, width):
    """Tables of made-up teachers: a step's work does not depend on what they hold."""
    generator = torch.Generator(torch.get_default_device()).manual_seed(7)
    shape = [(rows, 2 * width) for rows in (data.users, data.items)]
    return [tuple(0.2 * torch.rand(s, generator=generator) for s in shape) for _ in range(n)]


def evaluation(model, p, primary, count):
    """Seconds of evaluations, tables included."""
    if model.form == "released":
        start = measure.times(0, 1, lambda: evaluate.tables(model, p, primary))[0]
        _, seconds = evaluate.loops(model.data, *evaluate.tables(model, p, primary), LOOPED)
        return [start + seconds]
    blocks = evaluate.Blocks(model.data)
    work = lambda: blocks.recall(*evaluate.tables(model, p, primary))  # noqa: E731
    return measure.times(1, count, work)


def main():
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "backbone", "kind", "form"):
        parser.add_argument(name)
    for name, value in (("warm", 3), ("steps", 15), ("evaluations", 2), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--device", default="cpu", help="where PyTorch keeps its tensors: cpu, cuda")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.set_default_device(given.device)
    data = read(given.data)
    n = len(data.names)
    model = BACKBONES[given.backbone](data, given.form)
    p = model.parameters(torch.Generator(torch.get_default_device()).manual_seed(1))
    primary = ckd.only(0, n) if given.kind == "teacher" else frozenset()
    taught = teachers(data, n, model.width) if given.kind == "ckd" else ()
    step = Step(model, p, primary, taught)
    used = time.process_time()
    seconds = measure.times(given.warm, given.steps, step.step)
    used = (time.process_time() - used) / (given.warm + given.steps)
    peak = measure.peak_mib()
    evaluations = evaluation(model, p, primary, given.evaluations) if given.evaluations else []
    measure.report(
        who=given.form,
        backbone=given.backbone,
        kind=given.kind,
        steps=seconds,
        evaluations=evaluations,
        processor=used,
        peak_mib=peak,
    )


if __name__ == "__main__":
    main()
