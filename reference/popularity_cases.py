"""Golden cases of the popularity baseline and the invariants they are checked against."""

import numpy as np

import graphs
import popularity
import vbpr
from graphs import check

CASES = {"m1": 1, "m2": 2, "m3": 3}


def check_tables():
    """Scores are column sums of R, the same for all users; they add up to T."""
    scores = vbpr.scores(*popularity.encode())
    counts = graphs.interaction_matrix().sum(axis=0)
    check(scores, np.tile(counts, (graphs.USERS, 1)), "scores", 0.0)
    check(scores[0].sum(), len(graphs.INTERACTIONS), "number of interactions", 0.0)


def build(name, count):
    """One case."""
    inputs = graphs.draw(seed=count, count=count, shapes={})
    return graphs.case(name, {}, inputs, lambda _parameters, _silenced: popularity.encode())


def content():
    """The whole of popularity.json."""
    check_tables()
    return {"cases": [build(name, count) for name, count in CASES.items()]}
