"""Item-item graph of one modality: the k most similar items by cosine.

With rows e_i of an I x d_m feature table,

    s_ij   = < nrm(e_i), nrm(e_j) >          0 where either row is zero
    N(i)   = the k largest s_ij of row i, i itself among the candidates;
             equal similarities by lower item index
    K_ij   = s_ij (weighted) or 1 (binary)   for j in N(i), else 0
    deg_i  = sum_j K_ij
    S_ij   = K_ij / sqrt(deg_i deg_j)        0 where a degree is not positive

S is directed: j in N(i) does not make i in N(j). An item whose features are all zero
(missing) is nobody's neighbour and has none, itself included, in both weightings: its
row and its column of S are 0. As a candidate it still fills a place at similarity 0.

Sources: Yu et al., "Multi-View Graph Convolutional Network for Multimedia
Recommendation" (MM 2023) for the weighted graph; Zhou & Shen, "A Tale of Two Graphs:
Freezing and Denoising Graph Structures for Multimodal Recommendation" (MM 2023) for the
binary one.
"""

import numpy as np

from graphs import check, near_kink, nrm


def similarities(features):
    """s, I x I: cosines of the rows; a zero row has similarity 0 to every row."""
    unit = nrm(features)
    return np.einsum("if,jf->ij", unit, unit)


def nearest(similarity, k):
    """N(i) for every row, I x k: best first, ties by lower index."""
    order = np.argsort(-similarity, axis=1, kind="stable")
    ranked = np.take_along_axis(similarity, order, axis=1)
    if k < len(similarity):
        near_kink(ranked[:, k - 1] - ranked[:, k])
    return order[:, :k]


def adjacency(features, k, binary):
    """K, I x I."""
    similarity = similarities(features)
    present = np.any(features != 0, axis=1)
    chosen = np.zeros(similarity.shape)
    np.put_along_axis(chosen, nearest(similarity, k), 1.0, axis=1)
    chosen *= present[:, None] * present[None, :]
    return chosen if binary else chosen * similarity


def normalised(weights):
    """S = K_ij / sqrt(deg_i deg_j), row sums on both sides."""
    degree = weights.sum(axis=1)
    scale = np.where(degree > 0, 1 / np.sqrt(np.where(degree > 0, degree, 1)), 0)
    return scale[:, None] * weights * scale[None, :]


def weighted(features, k):
    """S with cosine weights."""
    return normalised(adjacency(features, k, binary=False))


def binary(features, k):
    """S with weight 1 for every neighbour."""
    return normalised(adjacency(features, k, binary=True))


# Rows along the axes, of lengths that are powers of two: every cosine is exactly -1, 0
# or 1 in any precision, so that only the rule for ties decides. Row 0 is missing.
AXES = [
    None, (1, 1.0), (0, 0.5), (2, 1.0), (0, 1.0), (0, 2.0), (1, 2.0), (0, 4.0), (0, -1.0),
]  # fmt: skip


def tied_features(width):
    """The table described by AXES, I x width with width >= 3."""
    table = np.zeros((len(AXES), width))
    for row, entry in enumerate(AXES):
        if entry is not None:
            table[row, entry[0]] = entry[1]
    return table


def check_ties():
    """The graphs of `tied_features` with k = 3, worked by hand.

    Row 7 loses itself to 2, 4, 5, equal and lower; rows 1, 6 and 3, 8 fill up with
    similarity 0, where the missing row 0 takes a place and gives nothing.
    """
    cosine = {1: [1, 6], 2: [2, 4, 5], 3: [3], 4: [2, 4, 5], 5: [2, 4, 5], 6: [1, 6],
              7: [2, 4, 5], 8: [8]}  # fmt: skip
    links = cosine | {3: [3, 1], 8: [8, 1]}
    found = tied_features(3)
    for graph, expected in ((weighted(found, 3), cosine), (binary(found, 3), links)):
        by_hand = np.zeros((9, 9))
        for i, row in expected.items():
            for j in row:
                by_hand[i, j] = 1 / np.sqrt(len(row) * len(expected[j]))
        check(graph, by_hand, "graph of tied rows", 1e-15)


def check_graph(features, k):
    """Both graphs equal a search that looks at one pair at a time."""
    count = len(features)

    def cosine(i, j):
        norms = np.linalg.norm(features[i]) * np.linalg.norm(features[j])
        return features[i] @ features[j] / norms if norms > 0 else 0.0

    table = [[cosine(i, j) for j in range(count)] for i in range(count)]
    # Rounding must not split what is equal.
    ranks = [sorted(range(count), key=lambda j: (-round(row[j], 9), j)) for row in table]
    for graph, kept in ((weighted, lambda value: value), (binary, lambda value: 1.0)):
        weights = np.zeros((count, count))
        for i, best in enumerate(ranks):
            for j in best[:k]:
                if features[i].any() and features[j].any():
                    weights[i, j] = kept(table[i][j])
        degree = weights.sum(axis=1)
        expected = [
            [
                w / np.sqrt(degree[i] * degree[j]) if min(degree[i], degree[j]) > 0 else 0
                for j, w in enumerate(row)
            ]
            for i, row in enumerate(weights)
        ]
        check(graph(features, k), expected, "item graph")
