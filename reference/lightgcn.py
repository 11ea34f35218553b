"""LightGCN: ID embeddings smoothed over the interaction graph.

    H_0 = [ X_U ; X_I ],  H_l = SYM H_(l-1)          N x d, users first
    [ Y ; Z ] = 1/(L + 1) sum_{l = 0..L} H_l         D = d

Source: He et al., "LightGCN: Simplifying and Powering Graph Convolution Network for
Recommendation" (SIGIR 2020). No feature and no preference is read: every f(S) is the
same.
"""

import numpy as np

import graphs


def forward(parameters, layers):
    """Tables Y and Z."""
    operator = graphs.sym(graphs.adjacency())
    state = np.concatenate([parameters["user.id"], parameters["item.id"]])
    states = [state]
    for _ in range(layers):
        state = np.einsum("nk,kd->nd", operator, state)
        states.append(state)
    mean = sum(states) / (layers + 1)
    return mean[: graphs.USERS], mean[graphs.USERS :]


def penalty(parameters, triples, reg_ids):
    """reg_ids (1/B) (1/2) sum over the batch of |x_u|^2 + |x_i|^2 + |x_j|^2.

    The rows are those of layer 0. A row that occurs twice in the batch counts twice.
    """
    users, items = parameters["user.id"], parameters["item.id"]
    total = 0.0
    for u, i, j in triples:
        for row in (users[u], items[i], items[j]):
            total = total + 0.5 * (row * row).sum()
    return reg_ids * total / len(triples)
