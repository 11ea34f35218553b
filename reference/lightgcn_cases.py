"""Golden cases and checks of LightGCN."""

import numpy as np

import gradients
import graphs
import lightgcn
import losses

# name, modalities (read by nobody), layers, reg_ids
CASES = [
    ("l1_m1", 1, 1, 0.0),
    ("l2_reg_m2", 2, 2, 0.125),
    ("l3_m3", 3, 3, 0.0),
    ("l4_reg_m1", 1, 4, 0.5),
]  # fmt: skip


def tables(parameters, layers):
    """[ Y ; Z ] as one table."""
    return np.concatenate(lightgcn.forward(parameters, layers))


def check_operator():
    """SYM is symmetric, and (H_1)_n = sum over neighbours of x_j / sqrt(deg n deg j)."""
    adjacent = graphs.adjacency()
    operator = graphs.sym(adjacent)
    graphs.check(operator, operator.T, "symmetry")
    degree = adjacent.sum(axis=1)
    for n, j in zip(*np.nonzero(adjacent), strict=True):
        graphs.check(operator[n, j], 1 / np.sqrt(degree[n] * degree[j]), "edge weight")
    assert np.count_nonzero(operator) == 2 * len(graphs.INTERACTIONS)


def check_fixed_point(layers):
    """sqrt(deg) is a fixed point of SYM, hence of the mean over layers, where deg > 0."""
    degree = graphs.adjacency().sum(axis=1)
    start = np.sqrt(degree)[:, None]
    given = {"user.id": start[: graphs.USERS], "item.id": start[graphs.USERS :]}
    graphs.check(tables(given, layers), start, "fixed point")


def check_isolated(inputs, layers):
    """A node without interactions keeps x / (L + 1); without layers every node keeps x."""
    given = inputs.parameters
    start = np.concatenate([given["user.id"], given["item.id"]])
    alone = graphs.adjacency().sum(axis=1) == 0
    graphs.check(tables(given, layers)[alone], start[alone] / (layers + 1), "isolated")
    graphs.check(tables(given, 0), start, "no layers")


def check_gradient(inputs, result, layers, reg_ids):
    """dL/dX = P dL/d[Y;Z] + reg_ids/B (count of n in the batch) x_n, P = P^T the mean of
    the powers of SYM.
    """
    given, first = inputs.parameters, result["ablations"][0]
    factor = sum(1 / (1 + k) for k in range(len(result["ablations"])))
    slopes = -factor * losses.sigmoid(-first["margins"]) / len(inputs.triples)
    pulled = gradients.margin_pullback(
        slopes, first["users"], first["items"], inputs.triples
    )
    operator = graphs.sym(graphs.adjacency())
    powers = [np.linalg.matrix_power(operator, l) for l in range(layers + 1)]
    expected = sum(powers) / (layers + 1) @ np.concatenate(pulled)
    batch = gradients.l2_pullback(
        given["user.id"], given["item.id"], inputs.triples, reg_ids
    )
    found = np.concatenate([result["gradients"][key] for key in ("user.id", "item.id")])
    graphs.check(found, expected + np.concatenate(batch), "gradient")


def build(seed, name, count, layers, reg_ids):
    """One checked case."""
    inputs = graphs.draw(seed, count, graphs.ids())

    def encode(parameters, _silenced):
        return lightgcn.forward(parameters, layers)

    def extra(parameters):
        return lightgcn.penalty(parameters, inputs.triples, reg_ids)

    config = {"layers": layers, "reg_ids": reg_ids}
    result = graphs.case(name, config, inputs, encode, extra if reg_ids else None)
    check_fixed_point(layers)
    check_isolated(inputs, layers)
    check_gradient(inputs, result, layers, reg_ids)
    return result


def content():
    """golden/lightgcn.json."""
    check_operator()
    return {"cases": [build(seed, *case) for seed, case in enumerate(CASES)]}
