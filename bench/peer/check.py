"""Holds the peer against golden values: `python -m peer.check` from `bench/`.

For every backbone, both forms: tables or margins of every ablation, the loss
`sum_k mean sp(-Delta_k) / (1 + k)` plus the backbone's own, and every gradient; for
distillation the loss of a step and its gradients. In float64 to 1e-8, in float32 to 1e-5.
"""

import json
import sys
from pathlib import Path

import torch

from . import ckd
from .data import Data, compressed
from .models import BACKBONES
from .step import Step, distinct, margins

GOLDEN = Path(__file__).resolve().parents[2] / "reference" / "golden"
LIMITS = {torch.float64: 1e-8, torch.float32: 1e-5}
KEYS = {
    "mmgcn": ["layers"],
    "grcn": ["n_route", "layers"],
    "egogcn": ["theta", "layers"],
    "mgcn": ["neighbours", "ui_layers", "contrastive", "lambda_c", "tau"],
}
# The settings of each backbone that the peer is written for; other golden cases are passed over.
FIXED = {
    "mmgcn": {"normalisation": "rw_plus", "combination": "elementwise", "train_preferences": True},
    "grcn": {"routing": "paper", "weight_mode": "confid", "prune": False, "fusion": "concat"},
    "egogcn": {
        "modulation": "hard",
        "reattention": True,
        "id_layers": "intended",
        "pref_norm": "differentiable",
    },
    "mgcn": {"train_features": False, "ablate_graph": False, "normalisation": "sym", "ii_layers": 1},
}


def data_of(case, dtype):
    """A golden case's data."""
    pairs = case.get("interactions") or [(0, 0)]
    rows, columns = compressed(case["users"], [tuple(pair) for pair in pairs])
    features = [torch.tensor(m["features"], dtype=dtype) for m in case["modalities"]]
    names = [m["name"] for m in case["modalities"]]
    return Data(case["users"], case["items"], rows, columns, {}, features, names)


def leaves(case, dtype):
    """A golden case's parameters as tables, a flat bias as one row, with gradients."""
    tables = {k: torch.tensor(v, dtype=dtype) for k, v in case["parameters"].items()}
    return {k: torch.atleast_2d(v).requires_grad_() for k, v in tables.items()}


class Worst:
    """The largest |found - expected| / (1 + |expected|), and where."""

    def __init__(self):
        self.value, self.where = 0.0, ""

    def see(self, found, expected, where):
        """Takes a comparison in."""
        found = torch.as_tensor(found).detach().double()
        expected = torch.as_tensor(expected, dtype=torch.float64)
        if found.shape != expected.shape:
            sys.exit(f"{where}: shapes {tuple(found.shape)} and {tuple(expected.shape)}")
        gap = ((found - expected).abs() / (1 + expected.abs())).max().item()
        if not gap <= self.value:
            self.value, self.where = gap, where

    def gradients(self, p, expected, where):
        """Every expected gradient; what the loss does not reach is zero."""
        for name, values in expected.items():
            if name in p:
                grad = p[name].grad
                grad = torch.zeros_like(p[name]) if grad is None else grad
                values = torch.atleast_2d(torch.tensor(values, dtype=torch.float64))
                self.see(grad, values, f"{where}: gradient of {name}")


def backbone(name, case, form, dtype, worst):
    """Margins of every ablation, tables too where they are whole, loss and gradients."""
    config = {k: case["config"][k] for k in KEYS.get(name, [])}
    model = BACKBONES[name](data_of(case, dtype), form, case["width"], **config)
    p, where = leaves(case, dtype), f"{name} {case['name']} {form}"
    silent = [frozenset(model.names.index(m) for m in a["silenced"]) for a in case["ablations"]]
    u, i, j = torch.tensor(case["triples"]).t()
    if form == "tuned":
        users, a = distinct(u, model.data.users)
        items, both = distinct(torch.cat([i, j]), model.data.items)
        b, c = both.chunk(2)
        found = model.encode(p, list(dict.fromkeys(silent)), users, items, (a, b))
        found.gather(a, b, c)
        of, extra = found.margins, found.extra
    else:
        tables = {s: model.forward(p, s) for s in silent}
        for s, wanted in zip(silent, case["ablations"], strict=True):
            worst.see(tables[s][0], wanted["users"], f"{where}: users")
            worst.see(tables[s][1], wanted["items"], f"{where}: items")
        of, extra = lambda s: margins(*tables[s], u, i, j), model.extra(p, (u, i))
    loss = 0.0 if extra is None else extra
    for k, (s, wanted) in enumerate(zip(silent, case["ablations"], strict=True)):
        worst.see(of(s), wanted["margins"], f"{where}: margins of {wanted['name']}")
        loss = loss + ckd.ranking(of(s)) / (1 + k)
    if "loss" in case:
        worst.see(loss, case["loss"], f"{where}: loss")
        loss.backward()
        worst.gradients(p, case["gradients"], where)


def step(case, fixture, form, dtype, worst):
    """The loss of one step on VBPR, and its gradients."""
    model, p = BACKBONES["vbpr"](data_of(fixture, dtype), form, fixture["width"]), leaves(fixture, dtype)
    n, config, primary, teachers = len(model.names), case["config"], frozenset(), []
    if case["objective"] == "teacher":
        primary = ckd.only(model.names.index(config["kept"]), n)
    else:
        for t in fixture["teachers"]:
            teachers.append(tuple(torch.tensor(t[k], dtype=dtype) for k in ("users", "items")))
    made = Step(model, p, primary, teachers)
    fields = {k: v for k, v in config.items() if k in ("lambda_kd", "lambda_g", "tau", "reg")}
    made.settings = ckd.Settings(**fields)
    ranking, generic = (torch.tensor(fixture[k]).t() for k in ("triples", "generic"))
    generic = list(generic) if teachers else None
    loss = (made.shared if made.tuned else made.separate)(list(ranking), generic)
    worst.see(loss, case["expected"]["total"], f"{case['name']} {form}: total")
    loss.backward()
    worst.gradients(p, case["expected"]["gradients"], f"{case['name']} {form}")


def covers(name, case):
    """Whether the peer is written for this case."""
    return FIXED.get(name, {}).items() <= case.get("config", {}).items() and (
        case.get("config", {}).get("reg_inputs", 0) == 0
    )


def checks():
    """(label, function of form, dtype and worst) of everything that is compared."""
    for name in BACKBONES:
        for case in json.loads((GOLDEN / f"{name}.json").read_text())["cases"]:
            if covers(name, case):
                yield f"{name} {case['name']}", lambda *a, n=name, c=case: backbone(n, c, *a)
    golden = json.loads((GOLDEN / "ckd.json").read_text())
    fixtures = {f["name"]: f for f in golden["fixtures"]}
    kinds = ("paper_hinge", "base", "without_generic", "teacher_text", "teacher_image")
    for case in golden["cases"]:
        if case["name"].split(".")[1] in kinds:
            fixture = fixtures[case["fixture"]]
            yield f"ckd {case['name']}", lambda *a, c=case, f=fixture: step(c, f, *a)


def main():
    """Compares everything; exit code 1 on the first kind of fault found."""
    failed = False
    for dtype, limit in LIMITS.items():
        for label, compare in checks():
            for form in ("released", "tuned"):
                worst = Worst()
                compare(form, dtype, worst)
                good = worst.value <= limit
                failed |= not good
                mark = "" if good else f"  ABOVE {limit:g} at {worst.where}"
                kind = str(dtype).removeprefix("torch.")
                print(f"{kind} {form:8} {label:32} {worst.value:.1e}{mark}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
