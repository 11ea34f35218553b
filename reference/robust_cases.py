"""Made-up margins of teachers on held-out triples, and the content of robust.json."""

import numpy as np

import robust

# What the content of a teacher is worth that contains nothing of its modality.
SILENT = 9.0

# name, users, what each content is worth, spread of what teachers know of ids, how alike the two ids teachers are.
STACKS = [
    ("one", 12, [1.0], 0.5, 0.5),
    ("one_worthless", 12, [0.0], 0.5, 0.5),
    ("two", 15, [1.2, 0.8], 0.5, 0.8),
    ("two_one_worthless", 40, [1.2, 0.0], 0.4, 0.8),
    ("two_one_harmful", 15, [1.0, -1.0], 0.6, 0.8),
    ("two_one_silent", 15, [1.0, SILENT], 0.5, 0.8),
    ("two_nothing_known", 15, [0.0, 0.0], 0.0, 0.0),
    ("three", 18, [1.2, 0.0, 0.5], 0.4, 0.9),
]


def margins(rng, count, worth, spread, alike):
    """Margins of teachers, rounded to what float32 holds. Positive ones are right."""
    draw = lambda scale, shift: (rng.normal(size=count) * scale + shift).astype(np.float32)
    common = draw(spread, spread)
    of_ids = lambda: (alike * common + draw(spread, spread) * (1.0 - alike)).astype(np.float32)
    silenced = [of_ids() for _ in worth]
    content = lambda w: draw(1e-5, 1e-5) if w == SILENT else draw(0.6, 0.6 * w)
    own = [(s + content(w)).astype(np.float32) for s, w in zip(silenced, worth)]
    return [of_ids(), of_ids()], silenced, own


def case(seed, name, users, worth, spread, alike):
    """The weights, what contents are worth, and the targets."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(2, 7, size=users)
    of = np.repeat(np.arange(users) * 3, counts)
    given = margins(rng, len(of), worth, spread, alike)
    columns = robust.components(*(np.float64(g) for g in given))
    weights, gains, errors = robust.stack(columns, of, len(worth))
    # Another score that knows something: it has a stream of its own.
    other = (np.random.default_rng(1000 + seed).normal(size=len(of)) + 0.5).astype(np.float32)
    worth_of_all = robust.gain_over(columns, of, np.float64(other), weights, len(worth))
    ids, whole = robust.targets(*(np.float64(g) for g in given), weights)
    teachers = dict(zip(["ids", "silenced", "own"], given))
    expected = {"weights": weights, "gains": gains, "errors": errors, "ids": ids, "whole": whole, "worth": worth_of_all}
    return {"name": name, "users": of, "teachers": teachers, "other": other, "expected": expected}


def content():
    """The whole of robust.json."""
    return {"stacks": [case(seed, *of) for seed, of in enumerate(STACKS)]}
