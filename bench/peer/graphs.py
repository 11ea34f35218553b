"""The graphs that backbones read: users then items, and each item's nearest items.

    RW+ = (D + I)^-1 (A + I)        SYM = D^-1/2 A D^-1/2, 0 for a node without edges
    S_ij = K_ij / sqrt(deg_i deg_j), K_ij the cosine where j is among the k nearest of i
"""

import torch
import torch.nn.functional as F

from .ops import Edges


def pairs(data):
    """Users and items of the train interactions, as tensors."""
    users, items = data.pairs()
    return torch.as_tensor(users), torch.as_tensor(items)


def bipartite(data):
    """Both directions of every interaction, no values."""
    users, items = pairs(data)
    nodes, items = data.users + data.items, items + data.users
    both = torch.cat([items, users]), torch.cat([users, items])
    return Edges(*both, (nodes, nodes))


def rw_plus(data, dtype):
    """RW+."""
    edges = bipartite(data)
    nodes = torch.arange(edges.shape[0])
    target, source = torch.cat([edges.target, nodes]), torch.cat([edges.source, nodes])
    values = (1.0 / (edges.degree.to(dtype) + 1))[target]
    return Edges(target, source, edges.shape, values)


def sym(data, dtype):
    """SYM."""
    edges = bipartite(data)
    scale = edges.degree.to(dtype).clamp(min=1).rsqrt()
    return Edges(edges.target, edges.source, edges.shape, scale[edges.target] * scale[edges.source])


def user_item(data, edges):
    """The users x items block of a graph with values."""
    of_users = edges.target < data.users
    source = edges.source[of_users] - data.users
    return Edges(edges.target[of_users], source, (data.users, data.items), edges.values[of_users])


def nearest(features, k, block=1024):
    """The weighted graph of nearest items, ties by lower index; `block` rows at a time."""
    unit, count = F.normalize(features, dim=1), len(features)
    k = min(k, count)
    values, columns = [], []
    for start in range(0, count, block):
        similar = unit[start : start + block] @ unit.t()
        if count <= 64:
            order = torch.argsort(-similar, dim=1, stable=True)[:, :k]
            best = similar.gather(1, order)
        else:
            best, order = similar.topk(k, dim=1)
        values.append(best)
        columns.append(order)
    weight, column = torch.cat(values), torch.cat(columns)
    present = (features != 0).any(1)
    weight = weight * present[:, None] * present[column]
    degree = weight.sum(1)
    scale = torch.where(degree > 0, degree.clamp(min=1e-30).rsqrt(), 0)
    row = torch.arange(count).repeat_interleave(k)
    scaled = scale[:, None] * weight * scale[column]
    return Edges(row, column.reshape(-1), (count, count), scaled.reshape(-1))
