"""What must hold for GRCN: closed form of silenced channels, routing, gradients."""

import numpy as np

import gradients
import graphs
import grcn
import losses
import vbpr
from graphs import ITEMS, USERS, check, nrm

DEGREES = graphs.adjacency().sum(axis=1)
LINKED = DEGREES > 0


def check_attention(inputs, config):
    """Weights into a node with edges sum to 1, into an isolated node to 0."""
    for _, silenced in vbpr.named_ablations(list(inputs.features)):
        _, _, attentions, _ = grcn.parts(
            inputs.parameters, inputs.features, silenced, config
        )
        for name, attention in attentions.items():
            check(attention.sum(axis=1), LINKED.astype(float), "row sums")
            uniform = graphs.rw(graphs.adjacency())
            if name in silenced:
                check(attention, uniform, "1/deg in a silenced channel", 1e-15)
            else:
                assert np.max(np.abs(attention - uniform)) > 0.01


def closed_form(parameters, raw, name, config):
    """C_bar_m of a silenced channel from one user row and one item row, N x d.

    F^ = nrm(LR(W e_bar + b)), q_0 = nrm(p_bar), q_(r+1) = nrm(q_r + F^) if the user has
    items. C_bar[u] = q + F^, C_bar[i] = F^ + q; an isolated user keeps q_0, an isolated
    item F^.
    """
    preference, feature = parameters[f"user.{name}"].mean(0), raw.mean(0)
    projected = parameters[f"weight.{name}"] @ feature + parameters[f"bias.{name}"][0]
    item = nrm(np.maximum(projected, 0.01 * projected)[None])
    start = user = nrm(preference[None])
    if config["routing"] == "paper":
        for _ in range(config["n_route"]):
            user = nrm(user + item)
    users = np.where(LINKED[:USERS, None], user + item, start)
    items = np.where(LINKED[USERS:, None], item + user, item)
    return np.concatenate([users, items])


def check_closed_form(inputs, config):
    """A silenced channel equals its closed form, whatever else is silenced."""
    given = inputs.parameters
    for route in (0, 1, config["n_route"], 4):
        changed = config | {"n_route": route}
        for name, raw in inputs.features.items():
            found, _ = grcn.channel(given, inputs.features, name, [name], changed)
            check(found, closed_form(given, raw, name, changed), f"closed form of {name}")
            real, _ = grcn.channel(given, inputs.features, name, [], changed)
            assert np.max(np.abs(found - real)) > 0.01


def check_released_routing(inputs, config):
    """Released routing is paper routing with no iteration; one iteration moves users."""
    given = inputs.parameters, inputs.features
    paper, released = config | {"routing": "paper"}, config | {"routing": "released"}
    for name in inputs.features:
        for silenced in ([], [name]):
            none, one, found = (
                grcn.channel(*given, name, silenced, changed)[0]
                for changed in (paper | {"n_route": 0}, paper | {"n_route": 1}, released)
            )
            check(none, found, "no iteration", 0.0)
            assert np.max(np.abs(one - found)) > 0.01


def check_by_edges(inputs, config):
    """A channel and the ID branch, one edge at a time, from their node tables."""
    given, links = inputs.parameters, [np.flatnonzero(row) for row in graphs.adjacency()]
    shared, channels, attentions, weights = grcn.parts(given, inputs.features, [], config)
    for name, raw in inputs.features.items():
        content = grcn.content_rows(given, name, raw)
        rows = np.concatenate(
            [grcn.routed(given[f"user.{name}"], content, config), content]
        )
        expected = rows.copy()
        for node, senders in enumerate(links):
            share = np.exp([rows[node] @ rows[j] for j in senders])
            for j, part in zip(senders, share / share.sum(), strict=True):
                check(attentions[name][node, j], part, "attention of an edge")
                expected[node] += part * rows[j]
        check(channels[name], expected, "channel by edges")
    hop = total = nrm(np.concatenate([given["user.id"], given["item.id"]]))
    for _ in range(config["layers"]):
        hop = np.array(
            [
                sum((weights[n, j] * hop[j] for j in links[n]), 0 * hop[n])
                for n in range(len(hop))
            ]
        )
        total = total + hop
    check(shared, total, "ID branch by edges")


def check_constant_block(inputs, config):
    """A silenced block is constant but for isolated nodes, so it cancels in margins."""
    given, names = inputs.parameters, list(inputs.features)
    whole = config | {"fusion": "concat"}
    blocks = {
        fusion: grcn.encoder(inputs.features, config | {"fusion": fusion})(given, names)
        for fusion in ("id", "concat")
    }
    margins = {f: vbpr.margins(*t, inputs.triples) for f, t in blocks.items()}
    linked = np.all(LINKED[USERS + inputs.triples[:, 1:]], axis=1)
    assert 0 < linked.sum() < len(linked)
    check(margins["concat"][linked], margins["id"][linked], "silenced blocks cancel")
    assert np.all(np.abs(margins["concat"] - margins["id"])[~linked] > 1e-3)
    check_silenced_gradients(inputs, whole, inputs.triples[linked])


def check_silenced_gradients(inputs, config, triples):
    """Between items with edges, uni(m) gives P^k, W_k, b_k no gradient, k != m.

    The confidences of k still receive one where its constant attention wins an edge.
    """
    encode = grcn.encoder(inputs.features, config)
    for kept in inputs.features:
        silenced = vbpr.uni(inputs.features, kept)

        def loss(parameters, silenced=silenced):
            return losses.bpr(vbpr.margins(*encode(parameters, silenced), triples))

        found = gradients.complex_step(loss, inputs.parameters)
        for other in silenced:
            for kind in ("user", "weight", "bias"):
                check(found[f"{kind}.{other}"], 0 * found[f"{kind}.{other}"], kind, 1e-15)
        assert np.any(np.abs(found[f"weight.{kept}"]) > 1e-4)


def check_all_silenced_weights(inputs, config):
    """Nothing audible: w = 1/deg under max and mean, max_m c_jm / deg under confid."""
    uniform = graphs.rw(graphs.adjacency())
    tables = [inputs.parameters[f"confidence.{name}"][:, 0] for name in inputs.features]
    expected = {"max": uniform, "mean": uniform, "confid": uniform * np.max(tables, 0)}
    for mode, weights in expected.items():
        for prune in (False, True):
            changed = config | {"weight_mode": mode, "prune": prune}
            given = inputs.parameters, inputs.features, list(inputs.features)
            found = grcn.parts(*given, changed)[3]
            check(found, np.maximum(weights, 0) if prune else weights, f"w of {mode}")


def check_branches(inputs, config):
    """Every modality wins an edge; pruning removes some edges and keeps some."""
    given = inputs.parameters, inputs.features, []
    _, _, attentions, weights = grcn.parts(*given, config)
    edges = graphs.adjacency() > 0
    if config["weight_mode"] != "mean":
        scale = [
            inputs.parameters[f"confidence.{m}"].T
            if config["weight_mode"] == "confid"
            else 1.0
            for m in attentions
        ]
        stacked = [a * c for a, c in zip(attentions.values(), scale, strict=True)]
        winners = np.argmax(np.stack(stacked), axis=0)[edges]
        assert set(winners) == set(range(len(attentions)))
    if config["prune"]:
        assert 0 < np.sum(weights[edges] > 0) < np.sum(edges)


def check_order(inputs, config):
    """Listing the modalities in another order changes no margin."""
    turned = dict(reversed(inputs.features.items()))
    for silenced in ([], list(inputs.features)[:1]):
        first, second = (
            vbpr.margins(
                *grcn.encoder(features, config)(inputs.parameters, silenced),
                inputs.triples,
            )
            for features in (inputs.features, turned)
        )
        check(first, second, "order of the modalities")


def check_isolated(inputs, config):
    """An isolated node keeps H_0 in the ID branch and [p ; F] in its channels."""
    alone = ~LINKED
    assert alone[:USERS].sum() == 1 and alone[USERS:].sum() == 1
    given = inputs.parameters
    shared, channels, _, _ = grcn.parts(given, inputs.features, [], config)
    start = nrm(np.concatenate([given["user.id"], given["item.id"]]))
    check(shared[alone], start[alone], "isolated IDs", 0.0)
    for name, raw in inputs.features.items():
        rows = np.concatenate(
            [nrm(given[f"user.{name}"]), grcn.content_rows(given, name, raw)]
        )
        check(channels[name][alone], rows[alone], "isolated content", 1e-15)
    assert shared.shape == (USERS + ITEMS, graphs.WIDTH)


def run(inputs, config):
    """Every check on one variant."""
    check_attention(inputs, config)
    check_closed_form(inputs, config)
    check_released_routing(inputs, config)
    check_by_edges(inputs, config)
    check_constant_block(inputs, config)
    check_all_silenced_weights(inputs, config)
    check_branches(inputs, config)
    check_order(inputs, config)
    check_isolated(inputs, config)
