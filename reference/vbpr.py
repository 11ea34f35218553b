"""VBPR with one projection per modality, evaluated by substituting raw inputs.

Shapes: U users, I items, width d, modality m of raw width d_m, D = (1 + nM) d.

    Y_u = [ x_u ; p_u^m1 ; p_u^m2 ; ... ]
    Z_i = [ x_i ; W_m1 e_i^m1 + b_m1 ; ... ]
    y_hat(u, i) = < Y_u , Z_i >

Source: He & McAuley, "VBPR: Visual Bayesian Personalized Ranking from Implicit
Feedback" (AAAI 2016), in the bias-free multi-modality form.

`numpy.einsum` is used throughout: equal rows give bit-equal results, and complex
numbers pass through unconjugated, which the complex-step derivative relies on.
"""

import numpy as np


def tiled_mean(table):
    """1_n (mean over all n rows)^T: the table with every row set to the mean row."""
    mean = table.sum(axis=0) / table.shape[0]
    return np.broadcast_to(mean, table.shape)


def project(features, weight, bias):
    """pi_m(e) = W_m e + b_m for every row e; weight is d x d_m (out x in)."""
    return np.einsum("if,of->io", features, weight) + bias


def forward(parameters, features, silenced=()):
    """f(S): tables Y (U x D) and Z (I x D) with the modalities in S silenced.

    For m in S both raw inputs are replaced before anything else happens:
    E^m <- 1_I mean_i(e_i^m)^T and P^m <- 1_U mean_u(p_u^m)^T, the means running over
    all items and all users. ID tables are never replaced.
    """
    user_blocks = [parameters["user.id"]]
    item_blocks = [parameters["item.id"]]
    for name, raw in features.items():
        preferences = parameters[f"user.{name}"]
        if name in silenced:
            raw, preferences = tiled_mean(raw), tiled_mean(preferences)
        user_blocks.append(preferences)
        item_blocks.append(
            project(raw, parameters[f"weight.{name}"], parameters[f"bias.{name}"])
        )
    return np.concatenate(user_blocks, axis=1), np.concatenate(item_blocks, axis=1)


def scores(users, items):
    """y_hat(u, i) = < Y_u , Z_i >, as a U x I matrix."""
    return np.einsum("ud,id->ui", users, items)


def margins(users, items, triples):
    """Delta(u, i, j) = < Y_u , Z_i - Z_j > for each row (u, i, j) of `triples`."""
    u, i, j = triples.T
    return np.einsum("bd,bd->b", users[u], items[i] - items[j])


def uni(names, kept):
    """S of uni(m) = f(M without m): everything silenced but `kept` (Eq. 8, 10)."""
    return [name for name in names if name != kept]


def loo(kept_out):
    """S of loo(m) = f({m}): only `kept_out` silenced (Eq. 15)."""
    return [kept_out]


def named_ablations(names):
    """Every ablation with its name: full, each uni(m), each loo(m), ids_only."""
    listing = [("full", [])]
    listing += [(f"uni({name})", uni(names, name)) for name in names]
    listing += [(f"loo({name})", loo(name)) for name in names]
    return listing + [("ids_only", list(names))]
