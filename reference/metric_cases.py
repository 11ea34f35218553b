"""Content of metrics.json: hand-made and random small rankings."""

import numpy as np

import metrics

# name, held-out items, ranked list, ks.
HAND = [
    ("hits_at_1_and_4_of_3", [10, 40, 99], [10, 1, 2, 40, 3], [5]),
    ("none_hit", [7], [1, 2, 3, 4, 5], [1, 3, 5]),
    ("all_hit_in_front", [4, 2, 9], [9, 4, 2, 1, 3], [1, 3, 5]),
    ("one_held_out_last_rank", [5], [1, 2, 3, 4, 5], [1, 4, 5]),
    ("more_held_out_than_k", [0, 1, 2, 3, 4, 5], [0, 9, 1, 8, 2], [1, 3, 5]),
    ("list_shorter_than_k", [3, 8], [3, 5], [1, 5]),
    ("late_hit_lowers_retrieved_at_small_k", [1, 15],
     [1, 20, 21, 22, 23, 24, 25, 15, 26, 27], [5, 10]),
    ("every_rank_hits", [1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [1, 2, 5]),
]  # fmt: skip


def case(name, held_out, ranked, ks):
    """One user with every metric at every k; kmax is the largest k."""
    return {
        "name": name,
        "held_out": held_out,
        "ranked": ranked,
        "ks": ks,
        "kmax": max(ks),
        "expected": metrics.evaluate(ranked, held_out, ks),
    }


def random_case(rng, number):
    """30 items, a ranking of the first 20, between 1 and 12 held-out items."""
    ranked = rng.permutation(30)[:20].tolist()
    size = int(rng.integers(1, 13))
    held_out = sorted(rng.choice(30, size=size, replace=False).tolist())
    return case(f"random_{number:02}", held_out, ranked, [1, 5, 10, 20])


def content(count=20, seed=20):
    """The whole of metrics.json."""
    rng = np.random.default_rng(seed)
    drawn = [random_case(rng, number) for number in range(count)]
    return {"cases": [case(*one) for one in HAND] + drawn}
