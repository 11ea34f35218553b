"""What must hold for MMGCN before its golden file is written."""

import numpy as np

import graphs
import mmgcn
import vbpr


def row_leaky(row):
    """LR of one row, without the watch on kinks."""
    return np.maximum(row, 0.01 * row)


def loop_aggregate(rows, normalisation):
    """G X node by node over lists of neighbours, for the three operators."""
    adjacent = graphs.adjacency()
    degree = adjacent.sum(axis=1)
    result = np.zeros_like(rows)
    for n in range(len(rows)):
        near = np.flatnonzero(adjacent[n])
        if normalisation == "rw_plus":
            result[n] = (rows[n] + rows[near].sum(axis=0)) / (degree[n] + 1)
        elif normalisation == "rw" and len(near):
            result[n] = rows[near].mean(axis=0)
        elif normalisation == "sym":
            for j in near:
                result[n] += rows[j] / np.sqrt(degree[n] * degree[j])
    return result


def check_operators():
    """Rows of RW+ sum to 1; those of RW to 1, isolated 0; SYM is symmetric; loops agree."""
    adjacent = graphs.adjacency()
    linked = (adjacent.sum(axis=1) > 0).astype(float)
    graphs.check(graphs.rw_plus(adjacent).sum(axis=1), np.ones(graphs.NODES), "RW+ rows")
    graphs.check(graphs.rw(adjacent).sum(axis=1), linked, "RW rows")
    graphs.check(graphs.sym(adjacent), graphs.sym(adjacent).T, "SYM symmetry")
    rows = np.random.default_rng(0).normal(size=(graphs.NODES, 3))
    for name, operator in mmgcn.OPERATORS.items():
        graphs.check(operator @ rows, loop_aggregate(rows, name), f"{name} aggregation")


def node_layer(given, key, rows, pooled, ids):
    """One layer node by node, given the pooled messages; key(kind) names a parameter.

    The combiner's columns are split by hand: the first d meet H, the last d meet Xh.
    """
    width, result = rows.shape[1], []
    for n, row in enumerate(rows):
        near = row_leaky(pooled[n])
        own = given[key("self", "weight")] @ row + given[key("self", "bias")][0]
        own = row_leaky(own) + ids[n]
        weight, bias = given[key("combine", "weight")], given[key("combine", "bias")][0]
        mixed = weight[:, :width] @ near + bias
        concat = weight.shape[1] > width
        mixed = mixed + (weight[:, width:] @ own if concat else own)
        result.append(row_leaky(mixed))
    return np.array(result)


def check_layers(inputs, config):
    """C_m agrees with layers computed node by node over lists of neighbours."""
    given = inputs.parameters
    ids = np.concatenate([given["user.id"], given["item.id"]])
    for name, raw in inputs.features.items():
        rows = mmgcn.start(given, name, raw, False)
        graphs.check(np.linalg.norm(rows, axis=1), np.ones(graphs.NODES), "unit rows")
        for layer in range(1, config["layers"] + 1):

            def key(kind, part, name=name, layer=layer):
                return f"{kind}.{name}.{layer}.{part}"

            messages = rows @ given[key("conv", "weight")].T + given[key("conv", "bias")]
            pooled = loop_aggregate(messages, config["normalisation"])
            rows = node_layer(given, key, rows, pooled, ids)
        found = mmgcn.channel(given, name, raw, False, config)
        graphs.check(found, rows, f"channel {name}")


def check_cached_channels(inputs, result):
    """Every f(S) is the mean of nM cached channels, real where audible, else ablated."""
    given, config = inputs.parameters, result["config"]
    cached = {
        (name, mute): mmgcn.channel(given, name, raw, mute, config)
        for name, raw in inputs.features.items()
        for mute in (False, True)
    }
    for entry in result["ablations"]:
        chosen = [cached[m, m in entry["silenced"]] for m in inputs.features]
        found = np.concatenate([entry["users"], entry["items"]])
        graphs.check(found, np.mean(chosen, axis=0), entry["name"])


def check_scores(inputs, result):
    """y_hat = 1/nM^2 sum_(m,m') < C_m[u], C_m'[i] >: cross terms, hence not additive."""
    given, config = inputs.parameters, result["config"]
    channels = [
        mmgcn.channel(given, name, raw, False, config)
        for name, raw in inputs.features.items()
    ]
    users = [c[: graphs.USERS] for c in channels]
    items = [c[graphs.USERS :] for c in channels]
    expected = sum(a @ b.T for a in users for b in items) / len(channels) ** 2
    full = result["ablations"][0]
    graphs.check(vbpr.scores(full["users"], full["items"]), expected, "scores")


def two_rows(given, name, raw):
    """p_hat and e_hat: the only rows of H_0 of an ablated channel."""
    preference = given[f"user.{name}"].mean(axis=0)
    weight, bias = given[f"weight.{name}"], given[f"bias.{name}"][0]
    feature = weight @ raw.mean(axis=0) + bias
    return [row / np.linalg.norm(row) for row in (preference, feature)]


def first_layer(own, other, degree, normalisation):
    """Aggregate at a node of this degree, given the messages of its side and the other.

    RW+: own/(k+1) + k other/(k+1);  RW: other, or 0 if isolated.
    """
    if normalisation == "rw_plus":
        return (own + degree * other) / (degree + 1)
    return other * (degree > 0)


def check_ablated_first_layer(inputs, config):
    """The aggregate of layer 1 of an ablated channel depends on (side, degree) only, and
    the self path, before the ID term, on the side only.
    """
    given, degree = inputs.parameters, graphs.adjacency().sum(axis=1)
    ids = np.concatenate([given["user.id"], given["item.id"]])
    for name, raw in inputs.features.items():
        state = mmgcn.start(given, name, raw, True)
        rows = two_rows(given, name, raw)
        conv, own = (
            [given[f"{kind}.{name}.1.weight"] @ row + given[f"{kind}.{name}.1.bias"][0]
             for row in rows]
            for kind in ("conv", "self")
        )  # fmt: skip
        near = mmgcn.aggregated(given, name, 1, state, config["normalisation"])
        path = mmgcn.self_path(given, name, 1, state) - ids
        for n in range(graphs.NODES):
            side = int(n >= graphs.USERS)
            graphs.check(path[n], row_leaky(own[side]), "self path")
            pooled = first_layer(
                conv[side], conv[1 - side], degree[n], config["normalisation"]
            )
            if config["normalisation"] != "sym":
                graphs.check(near[n], row_leaky(pooled), "aggregate")


def check_bias_outside(inputs, config):
    """Under RW+ the bias may be added after aggregation: G (1 b^T) = 1 b^T."""
    given, operator = inputs.parameters, mmgcn.OPERATORS["rw_plus"]
    for name, raw in inputs.features.items():
        state = mmgcn.start(given, name, raw, False)
        weight = given[f"conv.{name}.1.weight"]
        after = operator @ (state @ weight.T) + given[f"conv.{name}.1.bias"]
        found = mmgcn.aggregated(given, name, 1, state, config["normalisation"])
        graphs.check(found, row_leaky(after), "bias after aggregation")


def check_relabelled(inputs, result):
    """Listing the modalities in reverse changes nothing."""
    features = dict(reversed(inputs.features.items()))
    for entry in result["ablations"]:
        found = mmgcn.forward(
            inputs.parameters, features, entry["silenced"], result["config"]
        )
        graphs.check(found[0], entry["users"], "reversed, users")
        graphs.check(found[1], entry["items"], "reversed, items")
