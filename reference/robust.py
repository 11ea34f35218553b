"""Robust weights: one sum of all teachers, fitted to interactions that none of them has seen.

    E^0 = b T + b' T' + sum_m b_m T^m,0          what all teachers know of ids
    E   = E^0 + sum_m a_m (T^m - T^m,0)          and of contents
    w   = argmin over w >= 0 of mean over users [mean over triples l(x . w)] + 1/(2 U) sum_c (w_c s_c)^2

The minimum is found by trying every set of positive weights: the one at which nothing pulls a weight beyond its bound.
"""

from itertools import combinations

import numpy as np


def loss(margin):
    """l(x) = ln(1 + e^-x)."""
    return np.logaddexp(0.0, -np.asarray(margin, dtype=np.float64))


def shrunken(x, error):
    """S(x) = [1 - (2 se / x)^2]_+ for positive x, else 0."""
    return max(0.0, 1.0 - (2.0 * error / x) ** 2) if x > 0 else 0.0


def shares(users):
    """Each triple's weight: users count alike, and a user's triples among themselves."""
    names, where, counts = np.unique(users, return_inverse=True, return_counts=True)
    return 1.0 / (len(names) * counts[where])


def slope(x, users, weights):
    """Gradient and second derivatives of the objective."""
    share, ridge = shares(users), (x**2).mean(0) / len(np.unique(users))
    p = 1.0 / (1.0 + np.exp(x @ weights))
    gradient = ridge * weights - x.T @ (share * p)
    return gradient, np.diag(ridge) + (x * (share * p * (1 - p))[:, None]).T @ x


def minimum(x, users, support):
    """The minimum over the weights of a support, free of bounds."""
    weights, chosen = np.zeros(x.shape[1]), list(support)
    for _ in range(60 if chosen else 0):
        gradient, hessian = slope(x, users, weights)
        weights[chosen] -= np.linalg.solve(hessian[np.ix_(chosen, chosen)], gradient[chosen])
    return weights


def fitted(x, users, allowed):
    """The weights, 0 where they are not allowed."""
    columns = [c for c in range(x.shape[1]) if allowed[c] and np.any(x[:, c] != 0)]
    for size in range(len(columns) + 1):
        for support in combinations(columns, size):
            weights = minimum(x, users, support)
            gradient, _ = slope(x, users, weights)
            others = [c for c in columns if c not in support]
            if np.all(weights[list(support)] > 0) and np.all(gradient[others] >= -1e-12):
                return weights
    raise AssertionError("a convex objective has a minimum")


def of_users(x, users, weights):
    """Mean loss of each user."""
    losses = loss(x @ weights)
    return np.array([losses[users == u].mean() for u in np.unique(users)])


def stack(x, users, modalities):
    """Weights after the contents that gain less than two standard errors have gone, shrunken, and what each was worth when last looked at."""
    content = [2 + modalities + m for m in range(modalities)]
    size = np.sqrt((x**2).mean(0))
    allowed = [True] * x.shape[1]
    for m, c in enumerate(content):  # a teacher that contains nothing of its modality
        allowed[c] = bool(size[c] >= 1e-3 * size[2 + m])
    gains, errors = np.zeros(modalities), np.zeros(modalities)
    while True:
        weights = fitted(x, users, allowed)
        now = of_users(x, users, weights)
        kept = [m for m in range(modalities) if allowed[content[m]]]
        for m in kept:
            without = [a and c != content[m] for c, a in enumerate(allowed)]
            gain = of_users(x, users, fitted(x, users, without)) - now
            gains[m], errors[m] = gain.mean(), gain.std(ddof=1) / np.sqrt(len(gain))
        certainty = {m: gains[m] / errors[m] if gains[m] > 0 else 0.0 for m in kept}
        least = min(kept, key=certainty.get, default=None)
        if least is None or certainty[least] > 2.0:
            for m in kept:
                weights[content[m]] *= shrunken(gains[m], errors[m])
            return weights, gains, errors
        allowed[content[least]] = False


def gain_over(x, users, other, weights, modalities):
    """What the sum is worth beside another score, in nats: each fitted on the users of one half, measured on those of the other."""
    names = np.unique(users)
    allowed = [True] * (2 + modalities) + [bool(w > 0) for w in weights[2 + modalities :]]
    differences = []
    for measured, fitting in ((names[0::2], names[1::2]), (names[1::2], names[0::2])):
        here, there = np.isin(users, measured), np.isin(users, fitting)
        of = lambda columns, free: of_users(columns[here], users[here], fitted(columns[there], users[there], free))
        differences.append(of(other[:, None], [True]) - of(x, allowed))
    gain = np.concatenate(differences)
    return gain.mean(), gain.std(ddof=1) / np.sqrt(len(gain))


def components(ids, silenced, own):
    """Columns: the ids teachers, what modalities' teachers know of ids, contents."""
    return np.stack([*ids, *silenced, *(o - s for o, s in zip(own, silenced))], axis=1)


def targets(ids, silenced, own, weights):
    """E^0 and E."""
    x, of_ids = components(ids, silenced, own), 2 + len(own)
    return x[:, :of_ids] @ weights[:of_ids], x @ weights
