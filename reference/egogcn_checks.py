"""What must hold for EgoGCN: independence of channels, norms, gradients."""

import numpy as np

import egogcn
import gradients
import graphs
import losses
import vbpr
from graphs import USERS, check, nrm

LINKED = graphs.adjacency().sum(axis=1) > 0
NEVER = {"modulation": "hard", "theta": 1.0}
ALWAYS = {"modulation": "hard", "theta": 0.0}
SOFT = {"modulation": "soft"}


def differ(first, second, gap=1e-3):
    """Fails unless two tables differ somewhere by more than `gap`."""
    assert np.max(np.abs(first - second)) > gap


def check_independence(inputs, config):
    """theta >= 1: silencing others leaves a channel bit-identical; else it changes it."""
    names = list(inputs.features)
    for changes in (NEVER, ALWAYS, SOFT):

        def found(silenced, changes=changes):
            given = inputs.parameters, inputs.features, silenced
            return egogcn.blocks(*given, config | changes)

        full = found([])
        for kept in names:
            alone = found(vbpr.uni(names, kept))
            check(alone["id"], full["id"], "IDs read no modality", 0.0)
            if changes is NEVER or len(names) == 1:
                check(alone[kept], full[kept], "independent channel", 0.0)
            else:
                differ(alone[kept], full[kept])
            silent = found(vbpr.loo(kept))
            differ(silent[kept], full[kept])


def check_one_modality(inputs, config):
    """One modality: hard with any theta, soft, with and without re-attention coincide."""
    names = list(inputs.features)
    if len(names) > 1:
        return
    given = inputs.parameters, inputs.features, []
    plain = egogcn.blocks(*given, config | NEVER | {"reattention": False})
    for changes in (ALWAYS, {"modulation": "hard", "theta": 0.4}, NEVER, SOFT):
        for again in (False, True):
            found = egogcn.blocks(*given, config | changes | {"reattention": again})
            check(found[names[0]], plain[names[0]], "one modality", 1e-14)


def check_propagation(inputs, config):
    """h_n <- nrm(h_n + sum_j a_jn h_j), one edge at a time."""
    links = [np.flatnonzero(row) for row in graphs.adjacency()]
    for name in inputs.features:
        rows = egogcn.nodes(inputs.parameters, inputs.features, name, [], config)
        for layers in (0, 1, 2):
            found, expected = egogcn.propagated(rows, layers), rows
            for _ in range(layers):
                moved = expected.copy()
                for node, senders in enumerate(links):
                    share = np.exp([expected[node] @ expected[j] for j in senders])
                    for j, part in zip(senders, share / share.sum(), strict=True):
                        moved[node] += part * expected[j]
                expected = moved / np.sqrt((moved**2).sum(axis=1, keepdims=True))
            check(found, expected, "propagation by edges")


def check_norms(inputs, config):
    """Rows of a channel have norm 1; isolated nodes have zero rows and their own IDs."""
    given = inputs.parameters
    for _, silenced in vbpr.named_ablations(list(inputs.features)):
        found = egogcn.blocks(given, inputs.features, silenced, config)
        for name in inputs.features:
            norms = np.sqrt((found[name] ** 2).sum(axis=1))
            check(norms, LINKED.astype(float), "norms of a channel")
        start = nrm(np.concatenate([given["user.id"], given["item.id"]]))
        check(found["id"][~LINKED], start[~LINKED], "isolated IDs", 0.0)


def check_silenced_attention(inputs, config):
    """Step (1) in the channel of a silenced modality is 1/deg; else it is not."""
    edges = graphs.adjacency()
    for name in inputs.features:
        for silenced in ([], [name]):
            given = inputs.parameters, inputs.features
            rows = egogcn.nodes(*given, name, silenced, config)
            attention = graphs.neighbourhood_softmax(rows @ rows.T, edges)
            if silenced:
                check(attention, graphs.rw(edges), "1/deg", 1e-15)
            else:
                differ(attention, graphs.rw(edges))


def check_silenced_channel(inputs, config):
    """Nothing audible: fused rows have one value per side; hard: and per 1/deg > theta.

    So under hard modulation a silenced channel still tells degrees apart.
    """
    names, degrees = list(inputs.features), graphs.adjacency().sum(axis=1)
    table = {
        m: egogcn.nodes(inputs.parameters, inputs.features, m, names, config)
        for m in names
    }
    kind = np.where(np.arange(len(degrees)) < USERS, 0, 1)
    if config["modulation"] == "hard":
        kind = kind + 2 * (degrees * config["theta"] < 1)
    for name in names:
        rows = egogcn.fused(inputs.parameters, table, name, config)
        first = [np.flatnonzero(LINKED & (kind == value))[0] for value in kind[LINKED]]
        check(rows[LINKED], rows[first], "one row per kind of node")


def check_id_branch(inputs):
    """Intended: sum of powers of SYM; released: H_0 + H_1 + 2 SYM H_1."""
    given = inputs.parameters
    start = nrm(np.concatenate([given["user.id"], given["item.id"]]))
    spread = graphs.sym(graphs.adjacency())
    powers = sum(np.linalg.matrix_power(spread, power) for power in range(4))
    twice = np.eye(len(spread)) + spread + 2 * spread @ spread
    check(egogcn.id_branch(given, "intended"), powers @ start, "intended IDs")
    check(egogcn.id_branch(given, "released"), twice @ start, "released IDs")
    differ(powers @ start, twice @ start)


def check_branches(inputs, config):
    """The threshold splits the edges of every channel, unless it is out of reach."""
    if config["modulation"] == "soft":
        return
    edges = graphs.adjacency() > 0
    for name in inputs.features:
        rows = egogcn.nodes(inputs.parameters, inputs.features, name, [], config)
        attention = graphs.neighbourhood_softmax(rows @ rows.T, edges)
        above = np.sum(attention[edges] > config["theta"])
        assert (above == 0) if config["theta"] >= 1 else (0 < above < edges.sum())


def full_gradients(inputs, config):
    """Complex-step gradients of the BPR loss of the full pass."""
    encode = egogcn.encoder(inputs.features, config)

    def loss(parameters):
        return losses.bpr(vbpr.margins(*encode(parameters), inputs.triples))

    return gradients.complex_step(loss, inputs.parameters)


def check_gradients(inputs, config):
    """Hard gates receive none. On unit rows the two `pref_norm` agree along the sphere:
    the differentiable gradient is the projected one less its radial part."""
    given = egogcn.projected(inputs.parameters)
    unit = graphs.Inputs(inputs.features, given, inputs.triples)
    leaf = full_gradients(unit, config | {"pref_norm": "project"})
    chained = full_gradients(unit, config | {"pref_norm": "differentiable"})
    for name, rows in given.items():
        expected = leaf[name]
        if name in [f"user.{m}" for m in inputs.features]:
            radial = (expected * rows).sum(axis=1, keepdims=True) * rows
            differ(radial, 0.0, 1e-5)
            expected = expected - radial
        check(chained[name], expected, f"gradient of {name}", 1e-13)
        if name.startswith("gate."):
            received = np.any(leaf[name] != 0)
            assert received == (config["modulation"] == "soft"), name


def check_order(inputs, config):
    """Listing the modalities in another order changes no margin."""
    turned = dict(reversed(inputs.features.items()))
    for silenced in ([], list(inputs.features)[:1]):
        first, second = (
            vbpr.margins(
                *egogcn.encoder(features, config)(inputs.parameters, silenced),
                inputs.triples,
            )
            for features in (inputs.features, turned)
        )
        check(first, second, "order of the modalities")


def run(inputs, config):
    """Every check on one variant."""
    check_independence(inputs, config)
    check_one_modality(inputs, config)
    check_propagation(inputs, config)
    check_norms(inputs, config)
    check_silenced_attention(inputs, config)
    check_silenced_channel(inputs, config)
    check_id_branch(inputs)
    check_branches(inputs, config)
    check_gradients(inputs, config)
    check_order(inputs, config)
