"""Golden cases of the content baseline and the invariants they are checked against."""

from dataclasses import replace

import numpy as np

import graphs
import itemknn
import vbpr
from graphs import check

CASES = {"m1": 1, "m1_missing_row": 1, "m2": 2, "m3": 3}


def cosine(table, i, j):
    """cos of two rows, 0 if one of them is zero."""
    norms = np.linalg.norm(table[i]) * np.linalg.norm(table[j])
    return table[i] @ table[j] / norms if norms > 0 else 0.0


def check_scores(features):
    """The score is the mean over the user's items of the summed cosines."""
    found = vbpr.scores(*itemknn.encode(features))
    for user, row in enumerate(graphs.interaction_matrix()):
        own = np.flatnonzero(row)
        for item in range(graphs.ITEMS):
            each = [sum(cosine(e, item, j) for e in features.values()) for j in own]
            expected = np.mean(each) if len(own) else 0.0
            check(found[user, item], expected, f"score of user {user}, item {item}")


def check_additive(ablations, names):
    """Margins are sums over the audible modalities of what each has alone."""
    margins = {entry["name"]: entry["margins"] for entry in ablations}
    alone = {name: margins[f"uni({name})"] for name in names}
    check(margins["full"], sum(alone.values()), "full")
    check(margins["ids_only"], 0 * margins["full"], "ids_only")
    for name in names:
        check(margins[f"loo({name})"], margins["full"] - alone[name], f"loo({name})")


def build(name, count):
    """One checked case."""
    inputs = graphs.draw(seed=count, count=count, shapes={})
    if name == "m1_missing_row":
        text = inputs.features["text"].copy()
        text[1] = 0.0
        inputs = replace(inputs, features={"text": text})
    check_scores(inputs.features)

    def encode(_parameters, silenced):
        return itemknn.encode(inputs.features, silenced)

    found = graphs.case(name, {}, inputs, encode)
    check_additive(found["ablations"], list(inputs.features))
    return found


def content():
    """The whole of itemknn.json."""
    return {"cases": [build(name, count) for name, count in CASES.items()]}
