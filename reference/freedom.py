"""FREEDOM: LightGCN plus a frozen item-item graph over ID embeddings.

With S^m the binary k-nearest-neighbour graph of the initial features (item_graph.py) and
C = [ C_U ; C_I ] the LightGCN embeddings on SYM,

    S = sum_m mix_m S^m        h = S^n_ii X_I
    Y = C_U                    Z = C_I + h

`mix` has one weight per modality, taken as given; none at all stands for 1/nM each. Published
for image and text: 0.1 and 0.9. Features reach the score through the graph only, so
silencing m changes no score, unless `ablate_graph` replaces S^m by the identity.

Own loss: reg_features sum_m L_m, a pairwise loss of the projected features,

    L_m = (1/B) sum_(u,i,j) sp( -( < Y_u, pi_m(e_i) > - < Y_u, pi_m(e_j) > ) )

`train_features` makes E^m the parameter `features.<m>`; the graph keeps reading the
initial features. Edges are not dropped here.

Source: Zhou & Shen, "A Tale of Two Graphs: Freezing and Denoising Graph Structures for
Multimodal Recommendation" (MM 2023).
"""

import numpy as np

import graphs
import item_graph
import losses
import vbpr
from graphs import linear
from layer_mean import layer_mean, split


def shapes(names, train_features):
    """Shapes of all parameters."""
    found = graphs.ids() | graphs.projections(names, preferences=False)
    if train_features:
        sizes = {m: (graphs.ITEMS, graphs.MODALITIES[m]) for m in names}
        found |= {f"features.{m}": size for m, size in sizes.items()}
    return found


def mixture(count, config):
    """mix, one weight per modality."""
    return config["mix"] or [1 / count] * count


def prepare(features, config):
    """S^m by modality, from the initial features."""
    return {m: item_graph.binary(e, config["neighbours"]) for m, e in features.items()}


def mixed_graph(frozen, config, silenced=()):
    """S = sum_m mix_m S^m, I x I."""
    total = np.zeros((graphs.ITEMS, graphs.ITEMS))
    weights = mixture(len(frozen), config)
    for weight, (name, graph) in zip(weights, frozen.items(), strict=True):
        silent = config["ablate_graph"] and name in silenced
        total = total + weight * (np.eye(graphs.ITEMS) if silent else graph)
    return total


def encode(parameters, frozen, config, silenced=()):
    """f(S): the tables Y (U x d) and Z (I x d); `frozen` holds S^m by modality."""
    operator = graphs.sym(graphs.adjacency())
    users, items = split(layer_mean(parameters, operator, config["ui_layers"]))
    graph, hidden = mixed_graph(frozen, config, silenced), parameters["item.id"]
    for _ in range(config["ii_layers"]):
        hidden = graph @ hidden
    return users, items + hidden


def extra(parameters, features, frozen, config, triples):
    """reg_features sum_m L_m on the full pass."""
    users, _ = encode(parameters, frozen, config)
    total = 0.0
    for name, raw in features.items():
        raw = parameters[f"features.{name}"] if config["train_features"] else raw
        found = linear(raw, parameters[f"weight.{name}"], parameters[f"bias.{name}"])
        total = total + losses.bpr(vbpr.margins(users, found, triples))
    return config["reg_features"] * total
