"""ItemKNN on content: a user is the mean of the items consumed. Nothing is learned.

    Z_i = [ nrm(e_i^m1) ; nrm(e_i^m2) ; ... ]           I x sum_m d_m
    Y_u = (1/|N(u)|) sum_(j in N(u)) Z_j                0 for a user without items

so that y_hat(u, i) is the mean over u's train items j of sum_m cos(e_i^m, e_j^m).
Silencing m replaces E^m by its mean row in both tables. A missing (all-zero) row stays
zero and has similarity 0 to everything.

Source: Deshpande & Karypis, "Item-Based Top-N Recommendation Algorithms" (TOIS 2004),
with similarities of content in place of co-occurrence.
"""

import numpy as np

import graphs
import vbpr


def encode(features, silenced=()):
    """f(S): the tables Y (U x D) and Z (I x D), D = sum_m d_m."""
    blocks = [
        graphs.nrm(vbpr.tiled_mean(raw) if name in silenced else raw)
        for name, raw in features.items()
    ]
    items = np.concatenate(blocks, axis=1)
    consumed = graphs.interaction_matrix()
    users = np.zeros((graphs.USERS, items.shape[1]))
    for user, row in enumerate(consumed):
        if row.any():
            users[user] = sum(items[j] for j in np.flatnonzero(row)) / row.sum()
    return users, items
