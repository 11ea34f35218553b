"""Golden cases and checks of BPR-MF."""

import numpy as np

import bprmf
import gradients
import graphs
import losses
import vbpr

CASES = [
    ("bias_m1", 1, True),
    ("plain_m1", 1, False),
    ("bias_m2", 2, True),
    ("plain_m3", 3, False),
]  # fmt: skip


def check_margins(inputs, tables, bias):
    """Delta = x_u . (x_i - x_j) + b_i - b_j."""
    given, (u, i, j) = inputs.parameters, inputs.triples.T
    users, items = given["user.id"], given["item.id"]
    expected = np.array(
        [users[a] @ (items[b] - items[c]) for a, b, c in inputs.triples]
    )
    if bias:
        expected += given["item.bias"][i, 0] - given["item.bias"][j, 0]
    graphs.check(vbpr.margins(*tables, inputs.triples), expected, "margins")


def check_update(inputs, result, bias):
    """Minus the gradient is the textbook step, with z = 1 / (1 + e^Delta):
    z (x_i - x_j) for x_u, z x_u and -z x_u for x_i and x_j, z and -z for b_i and b_j.

    All ablations agree, so the loss is the BPR loss times sum_k 1 / (1 + k).
    """
    margins = np.array(result["ablations"][0]["margins"])
    factor = sum(1 / (1 + k) for k in range(len(result["ablations"])))
    slopes = -factor * losses.sigmoid(-margins) / len(margins)
    given = inputs.parameters
    d_users, d_items = gradients.margin_pullback(
        slopes, given["user.id"], given["item.id"], inputs.triples
    )
    found = result["gradients"]
    graphs.check(found["user.id"], d_users, "user step")
    graphs.check(found["item.id"], d_items, "item step")
    if bias:
        d_bias = np.zeros((graphs.ITEMS, 1))
        np.add.at(d_bias[:, 0], inputs.triples[:, 1], slopes)
        np.add.at(d_bias[:, 0], inputs.triples[:, 2], -slopes)
        graphs.check(found["item.bias"], d_bias, "bias step")


def build(seed, name, count, bias):
    """One checked case."""
    shapes = graphs.ids() | ({"item.bias": (graphs.ITEMS, 1)} if bias else {})
    inputs = graphs.draw(seed, count, shapes)

    def encode(parameters, _silenced):
        return bprmf.forward(parameters, bias)

    result = graphs.case(name, {"bias": bias}, inputs, encode)
    check_margins(inputs, encode(inputs.parameters, ()), bias)
    check_update(inputs, result, bias)
    return result


def content():
    """golden/bprmf.json."""
    return {"cases": [build(seed, *case) for seed, case in enumerate(CASES)]}
