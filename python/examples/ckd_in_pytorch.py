"""
CKD for three backbones in plain PyTorch: VBPR, one that fuses all content in one block, and a graph network that fuses ids and
modalities before it propagates.

    python examples/ckd_in_pytorch.py --data DIR --backbone vbpr --seeds 1 2 3 --rust

trains the plain model, one teacher per modality and the CKD model, and prints what each has on test; `--rust` does the same with
Equipoise's own VBPR.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch
from torch import Tensor, nn

import equipoise as eq
from equipoise.torch import CKD, Ablation, fit, mean_ablated, measured, train_teachers


class Multimodal(nn.Module):
    """Ids, and for each modality the users' preferences and a projection of its features."""

    def __init__(self, data: eq.Dataset, width: int = 64) -> None:
        super().__init__()
        self.features = {name: torch.from_numpy(data.features(name).copy()) for name in data.modalities}
        table = lambda rows: nn.Parameter(nn.init.xavier_uniform_(torch.empty(rows, width)))
        self.users, self.items = table(data.n_users), table(data.n_items)
        self.preferences = nn.ParameterDict({name: table(data.n_users) for name in self.features})
        self.projections = nn.ModuleDict({name: nn.Linear(x.shape[1], width) for name, x in self.features.items()})

    def contents(self, ablation: Ablation) -> tuple[list[Tensor], list[Tensor]]:
        """Each modality's preferences and projected features, those that ``ablation`` silences replaced by their means."""
        features = mean_ablated(self.features, ablation)
        preferences = mean_ablated(dict(self.preferences), ablation)
        return list(preferences.values()), [project(features[name]) for name, project in self.projections.items()]


class Vbpr(Multimodal):
    """VBPR: ids, and one projected block per modality, side by side."""

    def forward(self, ablation: Ablation) -> tuple[Tensor, Tensor]:
        preferences, projected = self.contents(ablation)
        return torch.cat([self.users, *preferences], dim=1), torch.cat([self.items, *projected], dim=1)


class Fused(Multimodal):
    """Ids beside one block of all content: what ``docs/add-a-backbone.md`` writes in Rust."""

    def forward(self, ablation: Ablation) -> tuple[Tensor, Tensor]:
        preferences, projected = self.contents(ablation)
        return torch.cat([self.users, sum(preferences)], dim=1), torch.cat([self.items, torch.tanh(sum(projected))], dim=1)


class EarlyFusion(Multimodal):
    """Ids and projected modalities are added up before LightGCN's layers smooth them over the interaction graph."""

    def __init__(self, data: eq.Dataset, width: int = 64, layers: int = 2) -> None:
        super().__init__(data, width)
        self.layers, self.graph = layers, normalised_graph(data)

    def forward(self, ablation: Ablation) -> tuple[Tensor, Tensor]:
        preferences, projected = self.contents(ablation)
        users, items = self.users + sum(preferences), self.items + sum(projected)
        nodes = torch.cat([users, items])
        smoothed = [nodes]
        for _ in range(self.layers):
            smoothed.append(torch.sparse.mm(self.graph, smoothed[-1]))
        users, items = torch.stack(smoothed).mean(dim=0).split([len(users), len(items)])
        return users, items


def normalised_graph(data: eq.Dataset) -> Tensor:
    """``D^-1/2 A D^-1/2`` of the train interactions, users first."""
    users, items = (torch.from_numpy(part.astype(np.int64)) for part in data.indices("train"))
    size = data.n_users + data.n_items
    rows, columns = torch.cat([users, items + data.n_users]), torch.cat([items + data.n_users, users])
    degree = torch.bincount(rows, minlength=size).float()
    values = (degree[rows] * degree[columns]).rsqrt()
    places = torch.stack([rows, columns])
    with torch.sparse.check_sparse_tensor_invariants():
        return torch.sparse_coo_tensor(places, values, (size, size)).coalesce()


BACKBONES = {"vbpr": Vbpr, "fused": Fused, "early-fusion": EarlyFusion}


def run(data: eq.Dataset, backbone: str, width: int, seed: int, training: dict, distillation: dict) -> dict[str, float]:
    """Test recall@20 of the plain model, of its teachers' student, and the seconds of each."""

    def make() -> nn.Module:
        torch.manual_seed(seed)
        return BACKBONES[backbone](data, width)

    start, plain = time.perf_counter(), make()
    fit(plain, data, seed=seed, **training)
    middle, found = time.perf_counter(), {"plain": measured(plain, data)["recall@20"]}
    ckd = make()
    teachers = train_teachers(make, data, seed=seed, **training)
    fit(ckd, data, seed=seed, balance=CKD(teachers, **distillation), **training)
    found["ckd"] = measured(ckd, data)["recall@20"]
    return {**found, "seconds": time.perf_counter() - middle, "plain seconds": middle - start}


def run_in_rust(data: eq.Dataset, width: int, seed: int, training: dict, distillation: dict, threads: int) -> dict[str, float]:
    """The same with the library's own VBPR."""
    settings = {f"train.{name}": value for name, value in training.items()}
    backbone = {"name": "vbpr", "width": width}
    plain = eq.train(data, backbone, seed=seed, settings=settings, threads=threads, progress=False)
    ckd = {"name": "ckd", **{f"ckd.{name}": value for name, value in distillation.items()}}
    taught = eq.train(data, backbone, ckd, seed=seed, settings=settings, threads=threads, progress=False)
    return {"plain": plain.metric("recall@20"), "ckd": taught.metric("recall@20")}


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--backbone", choices=list(BACKBONES), default="vbpr")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--rust", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--reg", type=float, default=0.1)
    parser.add_argument("--batch-size", type=int, default=16384)
    parser.add_argument("--eval-every", type=int, default=5)
    parser.add_argument("--patience", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=1000)
    parser.add_argument("--lambda-kd", type=float, default=0.5)
    parser.add_argument("--lambda-g", type=float, default=1.0)
    parser.add_argument("--generic-triples", type=int, default=5000)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    data = eq.Dataset.open(given.data)
    training = {name: getattr(given, name) for name in ("lr", "reg", "batch_size", "eval_every", "patience", "epochs")}
    distillation = {"lambda_kd": given.lambda_kd, "lambda_g": given.lambda_g, "generic_triples": given.generic_triples}
    found: dict[str, list[float]] = {}
    for seed in given.seeds:
        results = {f"{given.backbone} in PyTorch": run(data, given.backbone, given.width, seed, training, distillation)}
        if given.rust and given.backbone == "vbpr":
            results["vbpr in Rust"] = run_in_rust(data, given.width, seed, training, distillation, given.threads)
        for who, values in results.items():
            print(f"seed {seed}, {who}: " + ", ".join(f"{name} {value:.4f}" for name, value in values.items()), flush=True)
            for name in ("plain", "ckd"):
                found.setdefault(f"{who}, {name}", []).append(values[name])
    for name, values in found.items():
        spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
        print(f"{name}: recall@20 {statistics.mean(values):.4f}{spread}")


if __name__ == "__main__":
    main()
