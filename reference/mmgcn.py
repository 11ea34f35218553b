"""MMGCN: one graph channel per modality, each reading the same ID embeddings.

Nodes are users then items, N = U + I; ID = [ X_U ; X_I ], N x d. Per modality m, with
the graph operator G (RW+, RW or SYM) and layers l = 1..L:

    H_0 = nrm( [ P^m ; W_m E^m + b_m ] )
    H   = LR( G ( H_(l-1) Wc^T + 1 bc^T ) )                 `conv.<m>.<l>`
    Xh  = LR( H_(l-1) Ws^T + 1 bs^T ) + ID                   `self.<m>.<l>`
    H_l = LR( H Wg^T + 1 bg^T + Xh )       elementwise       `combine.<m>.<l>`, d x d
    H_l = LR( [ H ; Xh ] Wg^T + 1 bg^T )   concat            `combine.<m>.<l>`, d x 2d
    C_m = H_L,   [ Y ; Z ] = 1/nM sum_m C_m                  D = d

Source: Wei et al., "MMGCN: Multi-modal Graph Convolution Network for Personalized
Recommendation of Micro-video" (MM 2019). The bias of the aggregation sits inside G: RW
and SYM have rows that do not sum to 1, so there its place matters.
"""

import numpy as np

import graphs
import vbpr

OPERATORS = {
    "rw_plus": graphs.rw_plus(graphs.adjacency()),
    "rw": graphs.rw(graphs.adjacency()),
    "sym": graphs.sym(graphs.adjacency()),
}


def mapped(parameters, kind, name, layer, rows):
    """x W^T + b with the map `kind` of one layer of channel `name`."""
    key = f"{kind}.{name}.{layer}"
    return graphs.linear(rows, parameters[f"{key}.weight"], parameters[f"{key}.bias"])


def start(parameters, name, raw, silenced):
    """H_0; a silenced modality has the mean row in E^m and in P^m, before W_m and nrm."""
    preferences = parameters[f"user.{name}"]
    if silenced:
        raw, preferences = vbpr.tiled_mean(raw), vbpr.tiled_mean(preferences)
    bias = parameters[f"bias.{name}"]
    projected = graphs.linear(raw, parameters[f"weight.{name}"], bias)
    return graphs.nrm(np.concatenate([preferences, projected]))


def aggregated(parameters, name, layer, state, normalisation):
    """H = LR( G ( H_(l-1) Wc^T + 1 bc^T ) )."""
    messages = mapped(parameters, "conv", name, layer, state)
    return graphs.leaky(np.einsum("nk,kd->nd", OPERATORS[normalisation], messages))


def self_path(parameters, name, layer, state):
    """Xh = LR( H_(l-1) Ws^T + 1 bs^T ) + ID."""
    ids = np.concatenate([parameters["user.id"], parameters["item.id"]])
    return graphs.leaky(mapped(parameters, "self", name, layer, state)) + ids


def channel(parameters, name, raw, silenced, config):
    """C_m, N x d."""
    state = start(parameters, name, raw, silenced)
    for layer in range(1, config["layers"] + 1):
        near = aggregated(parameters, name, layer, state, config["normalisation"])
        own = self_path(parameters, name, layer, state)
        if config["combination"] == "concat":
            both = np.concatenate([near, own], axis=1)
            state = graphs.leaky(mapped(parameters, "combine", name, layer, both))
        else:
            combined = mapped(parameters, "combine", name, layer, near)
            state = graphs.leaky(combined + own)
    return state


def forward(parameters, features, silenced, config):
    """f(S): tables Y and Z with the modalities in S silenced."""
    channels = [
        channel(parameters, name, raw, name in silenced, config)
        for name, raw in features.items()
    ]
    mean = sum(channels) / len(channels)
    return mean[: graphs.USERS], mean[graphs.USERS :]
