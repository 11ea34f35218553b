"""GRCN: routing attention per modality refines the edges of a graph over IDs.

Nodes: users first, N = U + I; R is U x I, A the bipartite adjacency. Channel m:

    F = nrm(LR(E W^T + b))  I x d        p = nrm(P)  U x d
    n_route times:  p_u <- nrm(p_u + sum_i a_ui F_i),  a_u = softmax_i(p_u . F_i) in N(u)
    X = [p ; F]     alpha_jn = softmax over j in N(n) of X_n . X_j
    C = X + (sum_j alpha_jn X_j)_n       N x d

Edge weights and ID branch, c the confidence of the sending node j:

    confid:  w_jn = max_m (alpha^m_jn c_jm)
    max, mean:  w_jn = max_m alpha^m_jn,  mean_m alpha^m_jn
    prune:  w <- max(w, 0)
    H_0 = nrm([X_U ; X_I]) ,  H_l = w H_(l-1) ,  C_id = H_0 + ... + H_layers

Source: Wei et al., "Graph-Refined Convolutional Network for Multimedia Recommendation
with Implicit Feedback" (ACM MM 2020). `routing = "released"`: in the public code the
messages of the loop run from users to items, so it changes nothing and p = nrm(P).
"""

import numpy as np

import graphs
import vbpr
from graphs import NODES, USERS, leaky, linear, near_kink, neighbourhood_softmax, nrm


def raw_inputs(parameters, features, name, silenced):
    """P^m and E^m, each replaced by its mean row if m is silenced."""
    preferences, raw = parameters[f"user.{name}"], features[name]
    if name in silenced:
        return vbpr.tiled_mean(preferences), vbpr.tiled_mean(raw)
    return preferences, raw


def content_rows(parameters, name, raw):
    """F^m = nrm(LR(E W^T + b)), I x d."""
    bias = parameters[f"bias.{name}"]
    return nrm(leaky(linear(raw, parameters[f"weight.{name}"], bias)))


def routed(preferences, content, config):
    """p after the routing iterations: items speak to users, U x d."""
    rows = nrm(preferences)
    if config["routing"] == "released":
        return rows
    matrix = graphs.interaction_matrix()
    for _ in range(config["n_route"]):
        attention = neighbourhood_softmax(rows @ content.T, matrix)
        rows = nrm(rows + attention @ content)
    return rows


def channel(parameters, features, name, silenced, config):
    """C_m (N x d) and alpha^m (N x N, row n holds the edges j -> n)."""
    preferences, raw = raw_inputs(parameters, features, name, silenced)
    content = content_rows(parameters, name, raw)
    nodes = np.concatenate([routed(preferences, content, config), content])
    attention = neighbourhood_softmax(nodes @ nodes.T, graphs.adjacency())
    return nodes + attention @ nodes, attention


def _highest(candidates, ties):
    """The largest of nM x N x N candidates per edge, by real part; the first on a tie.

    Plain attention ties exactly at nodes of degree one and between silenced channels;
    there its derivative is zero, so the choice does not matter and is no kink.
    """
    if len(candidates) > 1:
        ordered = np.sort(np.real(candidates), axis=0)
        gap = ordered[-1] - ordered[-2]
        near_kink(np.where(gap < 1e-12, 0.0, gap) if ties else gap)
    chosen = np.argmax(np.real(candidates), axis=0)[None]
    return np.take_along_axis(candidates, chosen, axis=0)[0]


def edge_weights(parameters, attentions, config):
    """w (N x N, row n holds the edges j -> n) from the attention of every modality."""
    stacked = np.stack(list(attentions.values()))
    if config["weight_mode"] == "mean":
        weights = stacked.sum(axis=0) / len(stacked)
    elif config["weight_mode"] == "max":
        weights = _highest(stacked, ties=True)
    else:
        senders = np.stack([parameters[f"confidence.{m}"].T for m in attentions])
        weights = _highest(stacked * senders, ties=False)
    if config["prune"]:
        near_kink(weights)
        weights = np.where(np.real(weights) > 0, weights, 0.0)
    return weights


def id_branch(parameters, weights, layers):
    """C_id = H_0 + w H_0 + w^2 H_0 + ..., N x d."""
    hop = nrm(np.concatenate([parameters["user.id"], parameters["item.id"]]))
    total = hop
    for _ in range(layers):
        hop = weights @ hop
        total = total + hop
    return total


def fuse(blocks, fusion):
    """[C_id | C_m1 | ...], only C_id, or the mean of all 1 + nM blocks."""
    if fusion == "concat":
        return np.concatenate(blocks, axis=1)
    return blocks[0] if fusion == "id" else sum(blocks) / len(blocks)


def parts(parameters, features, silenced, config):
    """C_id, {m: C_m}, {m: alpha^m} and w of f(S)."""
    found = {
        name: channel(parameters, features, name, silenced, config) for name in features
    }
    attentions = {name: attention for name, (_, attention) in found.items()}
    weights = edge_weights(parameters, attentions, config)
    shared = id_branch(parameters, weights, config["layers"])
    return shared, {name: rows for name, (rows, _) in found.items()}, attentions, weights


def encoder(features, config):
    """(parameters, silenced) -> Y (U x D), Z (I x D)."""

    def encode(parameters, silenced=()):
        shared, channels, _, _ = parts(parameters, features, silenced, config)
        table = fuse([shared, *channels.values()], config["fusion"])
        return table[:USERS], table[USERS:]

    return encode


def shapes(names):
    """Shapes of all parameters."""
    confidence = {f"confidence.{name}": (NODES, 1) for name in names}
    return graphs.ids() | graphs.projections(names) | confidence
