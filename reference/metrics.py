"""Top-k metrics of one user: ranked list (best first) against the held-out set.

r_p = 1 when the item at rank p (from 1) is held out, g = number of held-out items.
A list shorter than k has no hits at the missing ranks.
"""

from math import log2


def hits(ranked, held_out):
    """r_1 .. r_n of the ranked list."""
    wanted = set(held_out)
    return [1 if item in wanted else 0 for item in ranked]


def recall(r, g, k):
    """Recall@k = (r_1 + .. + r_k) / g."""
    return sum(r[:k]) / g


def precision(r, _g, k):
    """Precision@k = (r_1 + .. + r_k) / k, also when the list is shorter than k."""
    return sum(r[:k]) / k


def hit(r, _g, k):
    """Hit@k = 1 if any r_p = 1 for p <= k, else 0."""
    return 1.0 if any(r[:k]) else 0.0


def dcg(r, k):
    """DCG@k = sum_{p <= k} r_p / log2(p + 1)."""
    return sum(value / log2(rank + 1) for rank, value in enumerate(r[:k], start=1))


def ndcg_standard(r, g, k):
    """DCG@k over the DCG of min(g, k) leading hits."""
    return dcg(r, k) / dcg([1] * min(g, k), k)


def ndcg_retrieved(r, k, kmax):
    """DCG@k over DCG@k of the hits among the first kmax, sorted to the front; 0 if none."""
    ideal = dcg(sorted(r[:kmax], reverse=True), k)
    return dcg(r, k) / ideal if ideal > 0 else 0.0


def evaluate(ranked, held_out, ks):
    """All metrics at each k; kmax of the retrieved NDCG is the largest k."""
    r, g, kmax = hits(ranked, held_out), len(set(held_out)), max(ks)
    return [
        {
            "k": k,
            "recall": recall(r, g, k),
            "precision": precision(r, g, k),
            "hit": hit(r, g, k),
            "ndcg_standard": ndcg_standard(r, g, k),
            "ndcg_retrieved": ndcg_retrieved(r, k, kmax),
        }
        for k in ks
    ]
