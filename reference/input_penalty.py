"""The penalty of GRCN and EgoGCN as published, on the inputs of the batch.

    reg ( mean x_u^2 + mean x_i^2 + sum_m mean (p_u^m)^2 )

Means over all entries of the rows gathered for the batch: one row per triple for the
users, two (preferred and other) for the items. A row that occurs twice counts twice.
"""

import numpy as np


def mean_square(rows):
    """Mean of the squares of all entries."""
    return (rows * rows).sum() / rows.size


def penalty(parameters, triples, names, reg):
    """The penalty of one batch."""
    users, preferred, others = np.asarray(triples).T
    items = np.concatenate([preferred, others])
    total = mean_square(parameters["user.id"][users])
    total = total + mean_square(parameters["item.id"][items])
    for name in names:
        total = total + mean_square(parameters[f"user.{name}"][users])
    return reg * total


def gradient(rows, batch, reg):
    """By hand: reg 2 x_r (occurrences of r in the batch) / (rows of the batch x width)."""
    counts = np.bincount(batch, minlength=len(rows))[:, None]
    return reg * 2.0 * counts * rows / (len(batch) * rows.shape[1])


def check_gradient(inputs, result, plain, reg):
    """`result` and `plain` are the cases with the penalty and without it."""
    users, preferred, others = np.asarray(inputs.triples).T
    for name, rows in inputs.parameters.items():
        added = np.array(result["gradients"][name]) - np.array(plain["gradients"][name])
        batch = np.concatenate([preferred, others]) if name == "item.id" else users
        read = name == "item.id" or name.startswith("user.")
        expected = gradient(rows, batch, reg) if read else np.zeros_like(rows)
        assert np.max(np.abs(added - expected)) < 1e-13, f"penalty's gradient of {name}"
