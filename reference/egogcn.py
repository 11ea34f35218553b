"""EgoGCN: messages of one modality's graph take in what the sender is in the others.

Nodes: users first, N = U + I, edges j -> n of the bipartite graph A in both directions.

    x^m = [nrm(P^m) ; nrm(LR(E^m W^T + b))]                     N x d, per modality
    a_jn = softmax over j in N(n) of x^m_n . x^m_j
    hard:  t_jn = mean over all modalities k of x^k_j   if a_jn > theta, else x^m_j
    soft:  t_jn = (x^m_j + sum_{k != m} sig(V x^k_j + v) * x^k_j) / nM
    re-attention:  a_jn <- softmax over j in N(n) of x^m_n . t_jn
    h_n = nrm(sum_j a_jn t_jn)                                  no residual
    layers times:  h_n <- nrm(h_n + sum_j softmax_j(h_n . h_j) h_j)

    H_0 = nrm([X_U ; X_I]),  H_l = SYM H_(l-1)
    C_id = H_0 + H_1 + H_2 + H_3;  as released: H_0 + H_1 + 2 SYM H_1
    [Y ; Z] = [C_id | h^m1 | h^m2 | ...]                        D = (1 + nM) d

Source: Chen et al., "Breaking Isolation: Multimodal Graph Fusion for Multimedia
Recommendation by Edge-wise Modulation" (ACM MM 2022), with three modalities there;
V and v are `gate.<m>.<k>`, receiver channel m, other modality k.
"""

import numpy as np

import graphs
import vbpr
from graphs import USERS, WIDTH, leaky, linear, near_kink, neighbourhood_softmax, nrm


def projected(parameters):
    """The parameters with every preference row put on the unit sphere.

    Under `pref_norm = "project"` this happens before each forward, without gradient.
    """
    return {
        name: nrm(rows) if name.startswith("user.") and name != "user.id" else rows
        for name, rows in parameters.items()
    }


def nodes(parameters, features, name, silenced, config):
    """x^m, N x d; a silenced modality enters by its mean rows.

    Under "project" the preferences are unit rows already and are used as they are. The
    mean of unit rows is not one, so it is normalised, with gradient.
    """
    preferences, raw = parameters[f"user.{name}"], features[name]
    unit = config["pref_norm"] == "project"
    if name in silenced:
        preferences, raw = vbpr.tiled_mean(preferences), vbpr.tiled_mean(raw)
        unit = False
    bias = parameters[f"bias.{name}"]
    content = nrm(leaky(linear(raw, parameters[f"weight.{name}"], bias)))
    return np.concatenate([preferences if unit else nrm(preferences), content])


def gate(parameters, receiver, other, rows):
    """sig(V x + v) of every row, N x d."""
    name = f"gate.{receiver}.{other}"
    raised = linear(rows, parameters[f"{name}.weight"], parameters[f"{name}.bias"])
    return 1.0 / (1.0 + np.exp(-raised))


def messages(parameters, table, name, attention, config):
    """t of channel `name`, N x N x d: entry (n, j) is the message of the edge j -> n."""
    own, count = table[name], len(table)
    others = {other: rows for other, rows in table.items() if other != name}
    if config["modulation"] == "soft":
        gated = [gate(parameters, name, k, rows) * rows for k, rows in others.items()]
        mixed = (own + sum(gated)) / count
        return np.broadcast_to(mixed[None], (len(own), *mixed.shape))
    mixed = (own + sum(others.values())) / count
    distance = attention - config["theta"]
    near_kink(np.where(graphs.adjacency() > 0, distance, 0.0))
    return np.where(np.real(distance)[:, :, None] > 0, mixed[None], own[None])


def fused(parameters, table, name, config):
    """h of channel `name` after the modulated step, N x d."""
    own, edges = table[name], graphs.adjacency()
    attention = neighbourhood_softmax(own @ own.T, edges)
    sent = messages(parameters, table, name, attention, config)
    if config["reattention"]:
        attention = neighbourhood_softmax(np.einsum("nd,njd->nj", own, sent), edges)
    return nrm(np.einsum("nj,njd->nd", attention, sent))


def propagated(rows, layers):
    """`layers` steps of residual attention inside a channel, N x d."""
    for _ in range(layers):
        attention = neighbourhood_softmax(rows @ rows.T, graphs.adjacency())
        rows = nrm(rows + attention @ rows)
    return rows


def id_branch(parameters, id_layers):
    """C_id, N x d; no parameter beyond the tables, no modality."""
    spread = graphs.sym(graphs.adjacency())
    start = nrm(np.concatenate([parameters["user.id"], parameters["item.id"]]))
    first = spread @ start
    second = spread @ first
    third = spread @ (first if id_layers == "released" else second)
    return start + first + second + third


def blocks(parameters, features, silenced, config):
    """{"id": C_id, m: h^m} of f(S), each N x d."""
    table = {m: nodes(parameters, features, m, silenced, config) for m in features}
    found = {"id": id_branch(parameters, config["id_layers"])}
    for name in features:
        rows = fused(parameters, table, name, config)
        found[name] = propagated(rows, config["layers"])
    return found


def encoder(features, config):
    """(parameters, silenced) -> Y (U x D), Z (I x D)."""

    def encode(parameters, silenced=()):
        found = blocks(parameters, features, silenced, config)
        table = np.concatenate(list(found.values()), axis=1)
        return table[:USERS], table[USERS:]

    return encode


def shapes(names):
    """Shapes of all parameters; gates for every ordered pair of different modalities."""
    gates = {}
    for receiver in names:
        for other in names:
            if other != receiver:
                gates[f"gate.{receiver}.{other}.weight"] = (WIDTH, WIDTH)
                gates[f"gate.{receiver}.{other}.bias"] = (1, WIDTH)
    return graphs.ids() | graphs.projections(names) | gates
