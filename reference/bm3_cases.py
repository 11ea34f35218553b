"""Golden cases of BM3 and the invariants they are checked against.

Every case carries `"objective": "own"`: `loss` is `extra` alone, and `gradients` are its
gradients, with the targets held.
"""

import numpy as np

import bm3
import graphs
import vbpr
from graphs import USERS, check
from layer_mean import powers_mean

BASE = {"ui_layers": 1, "dropout": 0.0, "feature_weight": 2.0, "reg_ids": 0.1}

# name -> number of modalities, changes to BASE. A large `reg_ids` shows in the loss.
CASES = {
    "m1": (1, {}),
    "m2": (2, {"ui_layers": 2}),
    "m2_heavy_norms": (2, {"reg_ids": 2.0}),
    "m2_without_norms": (2, {"ui_layers": 2, "reg_ids": 0.0}),
    "m2_light_features": (2, {"feature_weight": 0.25}),
    "m3": (3, {"ui_layers": 3, "reg_ids": 0.5}),
}


def check_tables(inputs, config):
    """Y and Z are q of one matrix times the ID tables."""
    given = inputs.parameters
    matrix = powers_mean(graphs.sym(graphs.adjacency()), config["ui_layers"])
    matrix[USERS:, USERS:] += np.eye(graphs.ITEMS)
    rows = matrix @ np.concatenate([given["user.id"], given["item.id"]])
    expected = rows @ given["predictor.weight"].T + given["predictor.bias"]
    found = np.concatenate(bm3.encode(given, inputs.features, config))
    check(found, expected, "tables")


def apart(first, second):
    """mean_b ( 1 - cos(first_b, second_b) ), one pair at a time."""
    pairs = zip(first, second, strict=True)
    return np.mean([1 - a @ b / np.sqrt((a @ a) * (b @ b)) for a, b in pairs])


def check_identity_predictor(inputs, config):
    """With q(x) = x every term is a distance between two tables, L_mask of one to itself."""
    given = inputs.parameters | {
        "predictor.weight": np.eye(graphs.WIDTH),
        "predictor.bias": np.zeros((1, graphs.WIDTH)),
    }
    tables = bm3.online(given, inputs.features, config["ui_layers"])
    found = bm3.parts(given, inputs.features, config, inputs.triples, tables)
    users, items, projected = tables
    u, i, _ = inputs.triples.T
    check(found["rec"], 2 * apart(users[u], items[i]), "L_rec")
    check(found["align"], sum(apart(f[i], items[i]) for f in projected.values()), "L_align")
    check(found["mask"], 0.0, "L_mask")
    rows = np.concatenate([given["user.id"][u], given["item.id"][i]], axis=1)
    check(found["norm"], np.mean(np.linalg.norm(rows, axis=1) ** 2) / 2, "L_norm")


def check_foreign_targets(inputs, config):
    """Targets are only what they are given as, not recomputed from the parameters."""
    given, rng = inputs.parameters, np.random.default_rng(3)
    users, items, projected = bm3.online(given, inputs.features, config["ui_layers"])
    to_users, to_items = rng.normal(size=users.shape), rng.normal(size=items.shape)
    to_features = {m: rng.normal(size=f.shape) for m, f in projected.items()}
    targets = to_users, to_items, to_features
    found = bm3.parts(given, inputs.features, config, inputs.triples, targets)
    u, i, _ = inputs.triples.T

    def q(rows):
        return rows @ given["predictor.weight"].T + given["predictor.bias"]

    rec = apart(q(users[u]), to_items[i]) + apart(q(items[i]), to_users[u])
    check(found["rec"], rec, "L_rec with other targets")
    align = sum(apart(q(f[i]), to_items[i]) for f in projected.values())
    check(found["align"], align, "L_align with other targets")
    mask = sum(apart(q(f[i]), to_features[m][i]) for m, f in projected.items())
    check(found["mask"], mask, "L_mask with other targets")


def check_held_targets(inputs, config, held):
    """With targets that move the gradients are others: the golden ones tell them apart."""

    def moving(given):
        tables = bm3.online(given, inputs.features, config["ui_layers"])
        return bm3.loss(given, inputs.features, config, inputs.triples, tables)

    through = graphs.gradients.complex_step(moving, inputs.parameters)
    for name, gradient in through.items():
        gap = np.max(np.abs(gradient - held[name]))
        same = name.startswith("predictor.")
        assert (gap < 1e-14) if same else (gap > 1e-3), f"{name}: {gap}"


def build(name, count, changes):
    """One checked case."""
    config = BASE | changes
    names = list(graphs.MODALITIES)[:count]
    inputs = graphs.draw(seed=count, count=count, shapes=bm3.shapes(names))
    for invariant in (check_tables, check_identity_predictor, check_foreign_targets):
        invariant(inputs, config)
    targets = bm3.online(inputs.parameters, inputs.features, config["ui_layers"])

    def own(parameters):
        return bm3.loss(parameters, inputs.features, config, inputs.triples, targets)

    def encode(parameters, silenced):
        features = dict(inputs.features)
        for name in silenced:
            features[name] = vbpr.tiled_mean(features[name])
        return bm3.encode(parameters, features, config)

    gradients = graphs.checked_gradients(own, inputs.parameters)
    check_held_targets(inputs, config, gradients)
    # Its loss and gradients add margins, which this backbone does not train on.
    common = graphs.case(name, config, inputs, encode, own, fields={"objective": "own"})
    for entry in common["ablations"]:
        check(entry["margins"], common["ablations"][0]["margins"], entry["name"], 0.0)
    return common | {"loss": common["extra"], "gradients": gradients}


def content():
    """The whole of bm3.json."""
    return {"cases": [build(name, *entry) for name, entry in CASES.items()]}
