"""MGCN: behaviour-guided purifier, user-item and item-item views, behaviour-aware fuser.

For each modality m, with S^m the weighted k-nearest-neighbour graph of the initial
features (item_graph.py), S_ui = SYM or RW+ and R_hat the U x I block of S_ui:

    F^m = E^m W_m^T + b_m                    G^m = sig( F^m Wg_m^T + bg_m )
    Q^m = (S^m)^n_ii ( X_I * G^m )           V^m = R_hat Q^m          C_m = [ V^m ; Q^m ]
    C_id  = mean over layers 0..n_ui of S_ui^l [ X_U ; X_I ]
    a^m_n = < q, tanh( Wa C_m[n] + ba ) >    w^m_n = softmax over m
    C_s   = sum_m w^m * C_m                  P_m = sig( C_id Wp_m^T + bp_m )
    C_mul = ( C_s + sum_m P_m * (C_m - C_s) ) / (nM + 1)
    [Y ; Z] = C_id + C_mul

There are no user preferences: silencing m replaces E^m by its mean row and, with
`ablate_graph`, S^m by the identity. `train_features` makes E^m the parameter
`features.<m>`; the graph keeps reading the initial features.

Own loss, if `contrastive`: lambda_c ( InfoNCE(C_mul, C_id) on the batch's positive items
+ the same on its users ), where, rows brought to length 1,

    InfoNCE(A, B) = -(1/B) sum_b ln( exp(a_b.b_b / tau) / sum_c exp(a_b.b_c / tau) )

Source: Yu et al., "Multi-View Graph Convolutional Network for Multimedia
Recommendation" (MM 2023), in the form of its released code.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

import graphs
import item_graph
import vbpr
from graphs import USERS, WIDTH, linear, nrm
from layer_mean import layer_mean, split

NORMALISATIONS = {"sym": graphs.sym, "rw_plus": graphs.rw_plus}


def shapes(names, train_features):
    """Shapes of all parameters."""
    found = graphs.ids() | graphs.projections(names, preferences=False)
    for name in names:
        for map_ in (f"gate.{name}", f"prefer.{name}"):
            found |= {f"{map_}.weight": (WIDTH, WIDTH), f"{map_}.bias": (1, WIDTH)}
        if train_features:
            found[f"features.{name}"] = (graphs.ITEMS, graphs.MODALITIES[name])
    found |= {"attention.weight": (WIDTH, WIDTH), "attention.bias": (1, WIDTH)}
    return found | {"attention.query": (1, WIDTH)}


def sigmoid(x):
    """sig(x) = 1 / (1 + e^-x), for the moderate arguments that occur here."""
    return 1 / (1 + np.exp(-x))


def mapped(rows, parameters, name):
    """The linear map `name`: x W^T + b."""
    return linear(rows, parameters[f"{name}.weight"], parameters[f"{name}.bias"])


@cache
def user_item(normalisation):
    """S_ui, N x N."""
    return NORMALISATIONS[normalisation](graphs.adjacency())


@dataclass
class Content:
    """Of each modality the initial features, I x d_m, and their graph S^m, I x I."""

    features: dict
    graphs: dict


def prepare(features, config):
    """The graphs are built once, from the initial features, and never again."""
    k = config["neighbours"]
    return Content(features, {m: item_graph.weighted(e, k) for m, e in features.items()})


def channel(parameters, content, name, config, silent):
    """C_m, N x d."""
    features, graph = content.features[name], content.graphs[name]
    if config["train_features"]:
        features = parameters[f"features.{name}"]
    if silent:
        features = vbpr.tiled_mean(features)
        graph = np.eye(len(graph)) if config["ablate_graph"] else graph
    projected = linear(features, parameters[f"weight.{name}"], parameters[f"bias.{name}"])
    items = parameters["item.id"] * sigmoid(mapped(projected, parameters, f"gate.{name}"))
    for _ in range(config["ii_layers"]):
        items = graph @ items
    users = user_item(config["normalisation"])[:USERS, USERS:] @ items
    return np.concatenate([users, items])


def attention(parameters, channels):
    """w, nM x N: softmax over the modalities at every node."""
    logits = np.stack([
        np.tanh(mapped(one, parameters, "attention")) @ parameters["attention.query"][0]
        for one in channels
    ])  # fmt: skip
    raised = np.exp(logits - np.real(logits).max(axis=0))
    return raised / raised.sum(axis=0)


def fuse(parameters, names, channels, behaviour):
    """C_mul, N x d, of the channels in the order of `names`, with `behaviour` = C_id."""
    weights = attention(parameters, channels)
    shared = sum(w[:, None] * one for w, one in zip(weights, channels, strict=True))
    total = shared
    for name, one in zip(names, channels, strict=True):
        gate = sigmoid(mapped(behaviour, parameters, f"prefer.{name}"))
        total = total + gate * (one - shared)
    return total / (len(names) + 1)


def views(parameters, content, config, silenced=()):
    """C_id and C_mul, N x d each."""
    operator, names = user_item(config["normalisation"]), list(content.features)
    behaviour = layer_mean(parameters, operator, config["ui_layers"])
    channels = [channel(parameters, content, m, config, m in silenced) for m in names]
    return behaviour, fuse(parameters, names, channels, behaviour)


def encode(parameters, content, config, silenced=()):
    """f(S): the tables Y (U x d) and Z (I x d)."""
    behaviour, fused = views(parameters, content, config, silenced)
    return split(behaviour + fused)


def info_nce(first, second, tau):
    """InfoNCE of two B x d tables; repeated rows are their own negatives."""
    logits = nrm(first) @ nrm(second).T / tau
    highest = np.real(logits).max(axis=1, keepdims=True)
    partition = np.log(np.exp(logits - highest).sum(axis=1)) + highest[:, 0]
    return (partition - np.diag(logits)).sum() / len(logits)


def extra(parameters, content, config, triples):
    """lambda_c L_C on the full pass."""
    behaviour, fused = views(parameters, content, config)
    users, positives, _ = triples.T
    loss = sum(
        info_nce(fused[rows], behaviour[rows], config["tau"])
        for rows in (USERS + positives, users)
    )
    return config["lambda_c"] * loss
