"""Golden cases of MGCN and the invariants they are checked against."""

from dataclasses import replace

import numpy as np

import graphs
import item_graph
import mgcn
import vbpr
from graphs import USERS, check
from layer_mean import powers_mean

BASE = {
    "contrastive": False,
    "lambda_c": 0.5,
    "tau": 0.2,
    "train_features": False,
    "ablate_graph": False,
    "neighbours": 3,
    "ui_layers": 2,
    "ii_layers": 1,
    "normalisation": "sym",
}

# name -> number of modalities, changes to BASE.
CASES = {
    "m1_contrastive": (1, {"contrastive": True}),
    "m1_ties_and_missing_row": (1, {"contrastive": True}),
    "m2_default": (2, {}),
    "m2_contrastive": (2, {"contrastive": True}),
    "m2_train_features": (2, {"train_features": True, "contrastive": True}),
    "m2_ablate_graph": (2, {"ablate_graph": True, "ii_layers": 2}),
    # Six of nine: neighbours with negative similarity keep their sign.
    "m2_rw_plus_six_neighbours": (
        2,
        {"normalisation": "rw_plus", "ui_layers": 1, "ii_layers": 2, "neighbours": 6},
    ),
    "m3_default": (3, {}),
    "m3_all": (
        3,
        {"contrastive": True, "train_features": True, "ablate_graph": True,
         "normalisation": "rw_plus", "ui_layers": 3, "ii_layers": 2, "tau": 0.5},
    ),
}  # fmt: skip


def draw(name, count, config):
    """Inputs whose k-th and next similarity are well apart in every row, or tied exactly."""
    shapes = mgcn.shapes(list(graphs.MODALITIES)[:count], config["train_features"])

    def forward(inputs):
        return lambda _given, _silenced: mgcn.prepare(inputs.features, config)

    inputs = graphs.find(count, shapes, forward, gap=0.01)
    if name == "m1_ties_and_missing_row":
        width = graphs.MODALITIES["text"]
        inputs = replace(inputs, features={"text": item_graph.tied_features(width)})
    return inputs


def check_behaviour(given, content, config):
    """C_id is the mean of the powers of S_ui times the ID tables."""
    operator = mgcn.user_item(config["normalisation"])
    stacked = np.concatenate([given["user.id"], given["item.id"]])
    found, _ = mgcn.views(given, content, config)
    check(found, powers_mean(operator, config["ui_layers"]) @ stacked, "C_id")


def check_silenced_channel(given, content, config):
    """A silenced channel is ((S^m)^n_ii X_I) diag(g), and R_hat times that, g one row."""
    for name, initial in content.features.items():
        current = given[f"features.{name}"] if config["train_features"] else initial
        projected = given[f"weight.{name}"] @ current.mean(axis=0) + given[f"bias.{name}"][0]
        logit = given[f"gate.{name}.weight"] @ projected + given[f"gate.{name}.bias"][0]
        graph = np.eye(graphs.ITEMS) if config["ablate_graph"] else content.graphs[name]
        power = np.linalg.matrix_power(graph, config["ii_layers"]) @ given["item.id"]
        items = power @ np.diag(1 / (1 + np.exp(-logit)))
        users = mgcn.user_item(config["normalisation"])[:USERS, USERS:] @ items
        found = mgcn.channel(given, content, name, config, silent=True)
        check(found, np.concatenate([users, items]), f"silenced channel {name}")


def check_fuser(given, content, config):
    """Weights sum to 1; identical channels C give C_mul = C_s / (nM + 1) with C_s = C."""
    names = list(content.features)
    channels = [mgcn.channel(given, content, m, config, False) for m in names]
    weights = mgcn.attention(given, channels)
    check(weights.sum(axis=0), np.ones(graphs.NODES), "sum of weights")
    behaviour, _ = mgcn.views(given, content, config)
    same = mgcn.fuse(given, names, channels[:1] * len(names), behaviour)
    check(same, channels[0] / (len(names) + 1), "fuser with identical channels")
    if len(names) > 1:
        assert np.ptp(weights, axis=0).max() > 1e-3, "attention ignores the channels"


def check_relabelling(given, content, config):
    """Another order of the modalities gives the same tables."""
    turned = mgcn.prepare(dict(reversed(content.features.items())), config)
    for _, silenced in vbpr.named_ablations(list(content.features)):
        expected = mgcn.encode(given, content, config, silenced)
        found = mgcn.encode(given, turned, config, silenced)
        for one, other in zip(found, expected, strict=True):
            check(one, other, "relabelled modalities")


def check_normalisations():
    """RW+ rows sum to 1; SYM is symmetric."""
    plus, sym = (mgcn.user_item(name) for name in ("rw_plus", "sym"))
    check(plus.sum(axis=1), np.ones(graphs.NODES), "row sums of RW+")
    check(sym, sym.T, "SYM and its transpose", 0.0)


def check_info_nce():
    """Equal rows cost ln B; two rows cost the mean softplus of their logit gaps."""
    row = np.array([[1.0, 2.0, -1.0]])
    equal = np.tile(row, (6, 1))
    check(mgcn.info_nce(equal, 3 * equal, 0.2), np.log(6), "ln B")
    a, b = np.random.default_rng(0).normal(size=(2, 2, 3))
    cosine = (a @ b.T) / np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1))
    gaps = np.array([cosine[0, 1] - cosine[0, 0], cosine[1, 0] - cosine[1, 1]]) / 0.2
    check(mgcn.info_nce(a, b, 0.2), np.log1p(np.exp(gaps)).mean(), "InfoNCE of two rows")


def check_one_modality(given, content, config, gradients):
    """One modality: C_m = C_s, so the tables are C_id + C_m / 2, and attention and
    preference gates have no say."""
    (name,) = content.features
    behaviour, _ = mgcn.views(given, content, config)
    expected = behaviour + mgcn.channel(given, content, name, config, False) / 2
    check(np.concatenate(mgcn.encode(given, content, config)), expected, "one modality")
    for name, gradient in gradients.items():
        idle = name.startswith(("attention.", "prefer."))
        assert idle == (not np.any(np.abs(gradient) > 1e-14)), name


INVARIANTS = (check_behaviour, check_silenced_channel, check_fuser, check_relabelling)


def build(name, count, changes):
    """One checked case."""
    config = BASE | changes
    inputs = draw(name, count, config)
    content = mgcn.prepare(inputs.features, config)
    for raw in inputs.features.values():
        item_graph.check_graph(raw, config["neighbours"])
    for invariant in INVARIANTS:
        invariant(inputs.parameters, content, config)

    def encode(parameters, silenced):
        return mgcn.encode(parameters, content, config, silenced)

    def extra(parameters):
        return mgcn.extra(parameters, content, config, inputs.triples)

    own = extra if config["contrastive"] else None
    found = graphs.case(name, config, inputs, encode, own)
    if count == 1:
        check_one_modality(inputs.parameters, content, config, found["gradients"])
    return found


def content():
    """The whole of mgcn.json."""
    item_graph.check_ties()
    check_normalisations()
    check_info_nce()
    return {"cases": [build(name, *entry) for name, entry in CASES.items()]}
