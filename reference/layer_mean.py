"""Parameter-free propagation of ID embeddings, and the mean over its layers.

    H_0 = [X_U ; X_I],  H_l = S H_(l-1),  C = (1/(L+1)) sum_(l=0..L) H_l

with S the normalised adjacency of users and items, N x N. Source: He et al.,
"LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation"
(SIGIR 2020), there with S = SYM.
"""

import numpy as np

from graphs import USERS


def layer_mean(parameters, operator, layers):
    """C, N x d."""
    hidden = np.concatenate([parameters["user.id"], parameters["item.id"]])
    total = hidden
    for _ in range(layers):
        hidden = operator @ hidden
        total = total + hidden
    return total / (layers + 1)


def split(table):
    """The user rows and the item rows of an N x d table."""
    return table[:USERS], table[USERS:]


def powers_mean(operator, layers):
    """(1/(L+1)) sum_l S^l: what `layer_mean` multiplies the ID tables by."""
    each = [np.linalg.matrix_power(operator, power) for power in range(layers + 1)]
    return sum(each) / (layers + 1)
