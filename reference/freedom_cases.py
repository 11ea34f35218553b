"""Golden cases of FREEDOM and the invariants they are checked against."""

from dataclasses import replace

import numpy as np

import freedom
import graphs
import item_graph
import vbpr
from graphs import USERS, check
from layer_mean import powers_mean

# `reg_features` is far above any sensible setting, so that it shows in the loss.
BASE = {
    "neighbours": 3,
    "mix": [],
    "ui_layers": 2,
    "ii_layers": 1,
    "reg_features": 0.5,
    "train_features": False,
    "ablate_graph": False,
}

# name -> number of modalities, changes to BASE. Modalities in the order text, image.
CASES = {
    "m1": (1, {"ui_layers": 1}),
    "m1_ties_and_missing_row": (1, {}),
    "m2_published_mix": (2, {"mix": [0.9, 0.1]}),
    "m2_uniform_mix": (2, {"ii_layers": 2}),
    "m2_more_neighbours_than_items": (2, {"neighbours": 10, "mix": [0.25, 0.75]}),
    "m2_train_features": (2, {"mix": [0.9, 0.1], "train_features": True}),
    "m2_ablate_graph": (2, {"mix": [0.75, 0.25], "ablate_graph": True, "ii_layers": 2}),
    "m3": (3, {"mix": [0.5, 0.125, 0.375], "ui_layers": 3}),
    "m3_ablate_graph": (3, {"ablate_graph": True}),
}


def draw(name, count, config):
    """Inputs whose k-th and next similarity are well apart in every row, or tied exactly."""
    shapes = freedom.shapes(list(graphs.MODALITIES)[:count], config["train_features"])

    def forward(inputs):
        return lambda _given, _silenced: freedom.prepare(inputs.features, config)

    inputs = graphs.find(count, shapes, forward, gap=0.01)
    if name == "m1_ties_and_missing_row":
        width = graphs.MODALITIES["text"]
        inputs = replace(inputs, features={"text": item_graph.tied_features(width)})
    return inputs


def check_graphs(inputs, frozen, config):
    """Where no row is missing every degree is min(k, I), hence every edge is its inverse."""
    degree = min(config["neighbours"], graphs.ITEMS)
    for name, graph in frozen.items():
        item_graph.check_graph(inputs.features[name], config["neighbours"])
        if np.all(np.any(inputs.features[name] != 0, axis=1)):
            check(graph[graph != 0], np.full(graphs.ITEMS * degree, 1 / degree), "edges")


def check_linear_in_ids(given, frozen, config):
    """[Y ; Z] is one matrix times the ID tables, for every f(S)."""
    mean = powers_mean(graphs.sym(graphs.adjacency()), config["ui_layers"])
    stacked = np.concatenate([given["user.id"], given["item.id"]])
    for _, silenced in vbpr.named_ablations(list(frozen)):
        weights = freedom.mixture(len(frozen), config)
        graph = sum(
            w * (np.eye(graphs.ITEMS) if config["ablate_graph"] and m in silenced else s)
            for w, (m, s) in zip(weights, frozen.items(), strict=True)
        )
        matrix = mean.copy()
        matrix[USERS:, USERS:] += np.linalg.matrix_power(graph, config["ii_layers"])
        found = np.concatenate(freedom.encode(given, frozen, config, silenced))
        check(found, matrix @ stacked, "tables as one linear map")


def check_silencing(ablations, config):
    """Scores move with silencing if and only if the graph is silenced too."""
    full = ablations[0]["margins"]
    for entry in ablations[1:]:
        gap = np.max(np.abs(entry["margins"] - full))
        moves = config["ablate_graph"] and entry["silenced"]
        assert (gap > 1e-3) if moves else (gap == 0), entry["name"]


def check_twice_the_same(given, frozen, config):
    """A modality given twice, in any shares that sum to 1, counts as that modality alone."""
    name, graph = next(iter(frozen.items()))
    alone = freedom.encode(given, {name: graph}, config | {"mix": [1.0]})
    for mix in ([0.3, 0.7], []):
        found = freedom.encode(given, {name: graph, "copy": graph}, config | {"mix": mix})
        for one, other in zip(found, alone, strict=True):
            check(one, other, "the same modality twice")


def check_own_loss(inputs, frozen, config):
    """The own loss equals a sum that looks at one triple and one modality at a time."""
    given = inputs.parameters
    users, _ = freedom.encode(given, frozen, config)
    terms = []
    for name, raw in inputs.features.items():
        raw = given.get(f"features.{name}", raw)
        for u, i, j in inputs.triples:
            # The bias cancels between the two items.
            gap = users[u] @ given[f"weight.{name}"] @ (raw[i] - raw[j])
            terms.append(np.log1p(np.exp(-gap)))
    expected = config["reg_features"] * np.sum(terms) / len(inputs.triples)
    found = freedom.extra(given, inputs.features, frozen, config, inputs.triples)
    check(found, expected, "own loss")


def build(name, count, changes):
    """One checked case."""
    config = BASE | changes
    inputs = draw(name, count, config)
    frozen = freedom.prepare(inputs.features, config)
    check_graphs(inputs, frozen, config)
    check_linear_in_ids(inputs.parameters, frozen, config)
    check_twice_the_same(inputs.parameters, frozen, config)
    check_own_loss(inputs, frozen, config)

    def encode(parameters, silenced):
        return freedom.encode(parameters, frozen, config, silenced)

    def extra(parameters):
        return freedom.extra(parameters, inputs.features, frozen, config, inputs.triples)

    found = graphs.case(name, config, inputs, encode, extra)
    check_silencing(found["ablations"], config)
    return found


def content():
    """The whole of freedom.json."""
    item_graph.check_ties()
    return {"cases": [build(name, *entry) for name, entry in CASES.items()]}
