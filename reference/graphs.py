"""A tiny bipartite graph, dense graph operators, and the golden case of a backbone.

Nodes are ordered users first, then items: N = U + I. With R in {0,1}^(U x I),

    A   = [[0, R], [R^T, 0]]
    RW+ = D_+^-1 (A + I),  D_+ = diag(deg + 1)
    RW  = D^-1 A           the row of an isolated node is 0
    SYM = D^-1/2 A D^-1/2  rows and columns of an isolated node are 0

Everything is complex-safe for the complex-step derivative: branches read the real part.
They report their distance from the kink, so that seeds can be searched for inputs where
float32 takes the same branch.
"""

from dataclasses import dataclass

import numpy as np

import gradients
import losses
import vbpr
from fixtures import table

USERS, ITEMS, WIDTH = 7, 9, 4
NODES = USERS + ITEMS
MODALITIES = {"text": 5, "image": 3, "audio": 6}

# User 0 and item 1 are hubs; user 3 has exactly one item; user 5 and item 8 have none.
INTERACTIONS = [
    (0, 0), (0, 1), (0, 2), (0, 3), (0, 6), (0, 7), (1, 1), (1, 3), (1, 4),
    (2, 1), (2, 2), (2, 5), (3, 1), (4, 1), (4, 4), (4, 7), (6, 0), (6, 1),
]  # fmt: skip

# A repeated user, a repeated item, an item both preferred and rejected, the user with
# one item, and the isolated user and item.
TRIPLES = [(0, 1, 5), (1, 3, 2), (2, 5, 7), (0, 6, 4), (3, 1, 0), (5, 8, 1), (6, 0, 8)]


def interaction_matrix():
    """R, U x I, of zeros and ones."""
    matrix = np.zeros((USERS, ITEMS))
    matrix[tuple(np.array(INTERACTIONS).T)] = 1.0
    return matrix


def adjacency(matrix=None):
    """A = [[0, R], [R^T, 0]], N x N; R is the fixture's unless given."""
    matrix = interaction_matrix() if matrix is None else matrix
    users, items = (np.zeros((count, count)) for count in matrix.shape)
    return np.block([[users, matrix], [matrix.T, items]])


def _reciprocal(values):
    """1 / x, with 1 / 0 := 0."""
    return np.where(values > 0, 1.0 / np.where(values > 0, values, 1.0), 0.0)


def rw_plus(adjacent):
    """RW+ = D_+^-1 (A + I)."""
    looped = adjacent + np.eye(len(adjacent))
    return looped / looped.sum(axis=1, keepdims=True)


def rw(adjacent):
    """RW = D^-1 A."""
    return _reciprocal(adjacent.sum(axis=1))[:, None] * adjacent


def sym(adjacent):
    """SYM = D^-1/2 A D^-1/2."""
    scale = np.sqrt(_reciprocal(adjacent.sum(axis=1)))
    return scale[:, None] * adjacent * scale[None, :]


def neighbourhood_softmax(logits, mask):
    """alpha[n, j] of edges j -> n: a softmax over each row n where `mask` is set.

    exp(l_nj - max_k l_nk) / ( sum_k exp(l_nk - max) + 1e-16 ). A row without edges is 0.
    """
    mask = np.asarray(mask) > 0
    highest = np.max(np.where(mask, np.real(logits), -np.inf), axis=1, keepdims=True)
    highest = np.where(np.isfinite(highest), highest, 0.0)
    raised = np.where(mask, np.exp(np.where(mask, logits - highest, 0.0)), 0.0)
    return raised / (raised.sum(axis=1, keepdims=True) + 1e-16)


def nrm(rows):
    """x / max(|x|, 1e-12) for every row; a zero row stays zero."""
    squares = (rows * rows).sum(axis=1, keepdims=True)
    safe = np.real(squares) > 1e-24
    return np.where(safe, rows / np.sqrt(np.where(safe, squares, 1.0)), rows / 1e-12)


def leaky(x):
    """LR(x) = max(x, 0.01 x)."""
    near_kink(x)
    return np.where(np.real(x) > 0, x, 0.01 * x)


def linear(rows, weight, bias=None):
    """x W^T + b for every row x; weight is out x in, bias 1 x out."""
    mapped = np.einsum("if,of->io", rows, weight)
    return mapped if bias is None else mapped + bias


_nearest = [np.inf]


def near_kink(distances):
    """Notes how far values are from the kink at 0; exact zeros (empty sums) stay zero."""
    distances = np.abs(np.real(distances))
    _nearest[0] = min(_nearest[0], np.min(distances, where=distances > 0, initial=np.inf))


@dataclass
class Inputs:
    """What one case reads: raw features and parameters by name, triples."""

    features: dict
    parameters: dict
    triples: np.ndarray


def ids():
    """Shapes of the ID tables."""
    return {"user.id": (USERS, WIDTH), "item.id": (ITEMS, WIDTH)}


def projections(names, preferences=True, bias=True):
    """Shapes of `user.<m>`, `weight.<m>`, `bias.<m>` of each modality."""
    shapes = {}
    for name in names:
        shapes |= {f"user.{name}": (USERS, WIDTH)} if preferences else {}
        shapes |= {f"weight.{name}": (WIDTH, MODALITIES[name])}
        shapes |= {f"bias.{name}": (1, WIDTH)} if bias else {}
    return shapes


def draw(seed, count, shapes, scale=0.5):
    """Random inputs with the first `count` modalities and the given parameters."""
    rng = np.random.default_rng(seed)
    names = list(MODALITIES)[:count]
    features = {name: table(rng, ITEMS, MODALITIES[name], 0.6) for name in names}
    parameters = {name: table(rng, *shape, scale) for name, shape in shapes.items()}
    return Inputs(features, parameters, np.array(TRIPLES))


def clearance(encode, inputs):
    """Smallest distance from any kink over every f(S)."""
    _nearest[0] = np.inf
    for _, silenced in vbpr.named_ablations(list(inputs.features)):
        encode(inputs.parameters, silenced)
    return _nearest[0]


def find(count, shapes, forward, gap=1e-3, limit=20_000, scale=0.5):
    """The first draw whose every f(S) keeps `gap` from all kinks.

    `forward(inputs)` gives the function (parameters, silenced) -> (Y, Z) of the draw.
    """
    for seed in range(limit):
        inputs = draw(seed, count, shapes, scale)
        if clearance(forward(inputs), inputs) > gap:
            return inputs
    raise RuntimeError(f"expected a draw {gap} away from every kink, found none")


def check(found, expected, what, tolerance=1e-12):
    """Fails unless |found - expected| <= tolerance max(1, |expected|) everywhere."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: shapes {found.shape}, {expected.shape}"
    worst = np.max(np.abs(found - expected) / np.maximum(1.0, np.abs(expected)), initial=0)
    assert worst <= tolerance, f"{what}: expected up to {tolerance}, found {worst}"


def total_loss(encode, parameters, triples, names, extra=None):
    """sum_k 1/(1+k) mean_b sp(-margin_kb) over the named ablations k, plus the extra."""
    loss = extra(parameters) if extra else 0.0
    for position, (_, silenced) in enumerate(vbpr.named_ablations(names)):
        margins = vbpr.margins(*encode(parameters, silenced), triples)
        loss = loss + losses.bpr(margins) / (1 + position)
    return loss


def _central_differences(loss, parameters, step=1e-5):
    """( 8 (f(+h) - f(-h)) - (f(+2h) - f(-2h)) ) / (12 h) for every entry."""

    def at(name, index, shift):
        moved = parameters[name].copy()
        moved[index] += shift
        return loss({**parameters, name: moved})

    def entry(name, index):
        near = at(name, index, step) - at(name, index, -step)
        far = at(name, index, 2 * step) - at(name, index, -2 * step)
        return (8 * near - far) / (12 * step)

    return {
        name: np.reshape([entry(name, k) for k in np.ndindex(rows.shape)], rows.shape)
        for name, rows in parameters.items()
    }


def checked_gradients(loss, parameters, frozen=()):
    """Complex-step gradients of every parameter not frozen, confirmed by differences."""
    moving = {name: values for name, values in parameters.items() if name not in frozen}

    def of_moving(values):
        return loss({**parameters, **values})

    found = gradients.complex_step(of_moving, moving)
    for name, expected in _central_differences(of_moving, moving).items():
        check(found[name], expected, f"gradient of {name}", 1e-8)
    return found


def case(name, config, inputs, encode, extra=None, frozen=(), fields=None):
    """One golden case: `encode(parameters, silenced)` gives (Y, Z), `extra(parameters)`
    the backbone's own loss under `full`; `frozen` names parameters without gradient;
    `fields` are further keys of the case.
    """
    names, given, triples = list(inputs.features), inputs.parameters, inputs.triples
    ablations = []
    for label, silenced in vbpr.named_ablations(names):
        users, items = encode(given, silenced)
        entry = {"name": label, "silenced": silenced, "users": users, "items": items}
        ablations.append(entry | {"margins": vbpr.margins(users, items, triples)})

    def loss(parameters):
        return total_loss(encode, parameters, triples, names, extra)

    return {
        "name": name,
        "config": config,
        "users": USERS,
        "items": ITEMS,
        "width": WIDTH,
        "interactions": INTERACTIONS,
        "modalities": [
            {"name": m, "width": raw.shape[1], "features": raw}
            for m, raw in inputs.features.items()
        ],
        **(fields or {}),
        "parameters": given,
        "triples": triples,
        "ablations": ablations,
        "extra": float(extra(given)) if extra else None,
        "loss": float(loss(given)),
        "gradients": checked_gradients(loss, given, frozen),
    }
