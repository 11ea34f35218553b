"""BPR-MF: matrix factorisation, with an item bias or without.

Shapes: users x_u and items x_i of width d, bias b_i a table I x 1.

    y_hat(u, i) = x_u . x_i + b_i
    Y_u = [ x_u ; 1 ],  Z_i = [ x_i ; b_i ]     D = d + 1;   without bias D = d

Source: Rendle et al., "BPR: Bayesian Personalized Ranking from Implicit Feedback"
(UAI 2009). No feature and no preference is read: every f(S) is the same.
"""

import numpy as np


def forward(parameters, bias):
    """Tables Y and Z."""
    users, items = parameters["user.id"], parameters["item.id"]
    if not bias:
        return users, items
    ones = np.ones((len(users), 1))
    return (
        np.concatenate([users, ones], axis=1),
        np.concatenate([items, parameters["item.bias"]], axis=1),
    )
