"""Content of golden/*.json of the balancers. Fixtures are those of ckd.json, by name."""

import numpy as np

import balancers
import gradients
import losses
import objective

REG = 0.01

HEADS = {
    # name: rows (train before, validation before, train after, validation after)
    "two_alike": [[0.69, 0.69, 0.3, 0.4], [0.69, 0.69, 0.3, 0.4]],
    "none_gains": [[0.69, 0.69, 0.2, 0.8], [0.69, 0.6, 0.1, 0.7], [0.5, 0.5, 0.4, 0.5]],
    "one_gains": [[0.69, 0.69, 0.5, 0.6], [0.69, 0.69, 0.1, 0.9], [0.6, 0.6, 0.6, 0.6]],
    "usual": [[0.69, 0.7, 0.2, 0.45], [0.7, 0.69, 0.4, 0.5], [0.68, 0.69, 0.1, 0.41]],
    "no_overfitting": [[0.7, 0.7, 0.5, 0.5], [0.7, 0.7, 0.4, 0.5]],
    "four": [[0.69, 0.7, 0.25, 0.5], [0.7, 0.69, 0.45, 0.52], [0.7, 0.7, 0.6, 0.65], [0.69, 0.7, 0.2, 0.44]],
}  # fmt: skip

SCORES = [
    [0.5], [0.5, 0.5], [0.6, 0.4], [0.4, 0.6], [0.9, 0.1], [0.51, 0.5],
    [0.5, 0.5, 0.5], [0.6, 0.5, 0.4], [0.8, 0.8, 0.2], [0.55, 0.6, 0.65, 0.3],
]  # fmt: skip

ALPHAS = (0.0, 0.1, 0.3, 0.8, 1.0)

FIXTURES = ("m1_open", "m2_open", "m2_guarded", "m3_open")


def blend_rows(count):
    """Heads for a fixture with that many modalities, each different."""
    return [[0.7, 0.69 + 0.01 * m, 0.3 - 0.05 * m, 0.5 - 0.03 * m] for m in range(count + 1)]


def gb_case(name, inputs):
    heads = blend_rows(len(inputs.features))
    weights = balancers.blend(heads)

    def ranking(parameters):
        return balancers.gb_ranking(parameters, inputs, weights)

    def penalty(parameters):
        return balancers.penalty(parameters, inputs, REG)

    reached = balancers.gb_reached(inputs.parameters, inputs, weights)
    slopes = gradients.complex_step(ranking, inputs.parameters)
    held = gradients.complex_step(penalty, inputs.parameters)
    expected = {
        "weights": weights,
        "total": balancers.gb_total(inputs.parameters, inputs, weights, REG),
        "gradients": {key: slope + reached[key] * held[key] for key, slope in slopes.items()},
    }
    return {"fixture": name, "reg": REG, "heads": heads, "expected": expected}


def gb_content(fixtures):
    """Weights from losses, and whole steps."""
    blends = [
        {"name": name, "heads": rows, "weights": balancers.blend(rows)}
        for name, rows in HEADS.items()
    ]
    return {"blends": blends, "cases": [gb_case(f, fixtures[f]) for f in FIXTURES]}


def scaled(gradient, factors, shared):
    """Each table by the factor of the modality its name ends with."""
    return {
        name: values * factors.get(name.split(".", 1)[1], shared)
        for name, values in gradient.items()
    }


def ogm_case(name, inputs, contribution, alpha, ids=False):
    found = balancers.margins(inputs.parameters, inputs)
    a = balancers.ogm_contributions(found, contribution, ids)
    scores = (1 / (1 + np.exp(-a))).mean(axis=1)
    detail = balancers.ogm_factors(scores, alpha)
    owners = [*inputs.features, "id"] if ids else inputs.features
    factors = dict(zip(owners, detail["k"], strict=True))

    def loss(parameters):
        # One blended head alone is BPR and its penalty.
        joint = [0.0] * len(inputs.features) + [1.0]
        return balancers.gb_total(parameters, inputs, joint, REG)

    plain = gradients.complex_step(loss, inputs.parameters)
    expected = {
        "contributions": a,
        **detail,
        "total": loss(inputs.parameters),
        "gradients": scaled(plain, factors, 1.0),
        "average": scaled(plain, factors, detail["k"].mean()),
    }
    return {
        "fixture": name, "reg": REG, "contribution": contribution, "alpha": alpha,
        "ids": ids, "expected": expected,
    }  # fmt: skip


def ogm_content(fixtures):
    """Factors from scores, spreads of sparse tables, and whole steps."""
    factors = [
        {"scores": s, "alpha": alpha, **balancers.ogm_factors(s, alpha)}
        for s in SCORES
        for alpha in ALPHAS
    ]
    rng = np.random.default_rng(5)
    tables = []
    for rows, touched in ((6, [1, 4]), (5, []), (3, [0, 1, 2]), (4, [2])):
        table = np.zeros((rows, 3))
        table[touched] = np.round(rng.normal(0, 0.1, (len(touched), 3)) * 256) / 256
        tables.append({"gradient": table, "spread": balancers.touched_spread(table)})
    tables.append({"gradient": [[0.25], [0.0]], "spread": 0.0})
    cases = [
        ogm_case(f, fixtures[f], contribution, alpha)
        for f in FIXTURES
        for contribution in ("split", "ablated")
        for alpha in (0.3, 0.8)
    ]
    cases += [
        ogm_case(f, fixtures[f], contribution, 0.3, ids=True)
        for f in FIXTURES
        for contribution in ("split", "ablated")
    ]
    return {"factors": factors, "spreads": tables, "cases": cases}


def cohesion_case(name, inputs):
    parts = balancers.cohesion_parts(balancers.margins(inputs.parameters, inputs))
    a = balancers.cohesion_weights(parts)

    def loss(parameters):
        return balancers.cohesion_total(parameters, inputs, a, REG)

    expected = {
        "weights": a,
        "effects": parts[1:].mean(axis=1),
        "total": loss(inputs.parameters),
        "gradients": gradients.complex_step(loss, inputs.parameters),
    }
    return {"fixture": name, "reg": REG, "expected": expected}


def cohesion_content(fixtures):
    """Whole steps."""
    return {"cases": [cohesion_case(f, fixtures[f]) for f in FIXTURES]}


def agm_case(name, inputs, alpha, ids=False):
    """The second of two steps; in the first every parameter had half its value."""
    half = {key: values / 2 for key, values in inputs.parameters.items()}
    responses = [
        balancers.agm_responses(balancers.margins(given, inputs), ids)
        for given in (half, inputs.parameters)
    ]
    history = [balancers.agm_ratios(phi) for phi in responses]
    kappa = balancers.agm_factors(history, alpha)

    def loss(parameters):
        return balancers.agm_total(parameters, inputs, kappa, responses[1], REG, ids)

    expected = {
        "ratios": history,
        "kappa": kappa,
        "responses": responses[1].mean(axis=1),
        "total": loss(inputs.parameters),
        "gradients": gradients.complex_step(loss, inputs.parameters),
    }
    return {"fixture": name, "reg": REG, "alpha": alpha, "ids": ids, "expected": expected}


def agm_content(fixtures):
    """Whole steps."""
    cases = [agm_case(f, fixtures[f], a) for f in FIXTURES for a in (0.5, 1.0)]
    return {"cases": cases + [agm_case(f, fixtures[f], 1.0, ids=True) for f in FIXTURES]}


def cml_case(name, inputs, strength):
    gaps = balancers.cml_gaps(balancers.margins(inputs.parameters, inputs))
    # A float32 implementation must take the same side of every kink.
    assert np.all(np.abs(gaps) > 1e-3)

    def loss(parameters):
        return balancers.cml_total(parameters, inputs, strength, REG)

    expected = {
        "violations": (gaps > 0).mean(axis=1),
        "effects": -gaps.mean(axis=1),
        "hinges": np.maximum(gaps, 0).mean(axis=1),
        "total": loss(inputs.parameters),
        "gradients": gradients.complex_step(loss, inputs.parameters),
    }
    return {"fixture": name, "reg": REG, "strength": strength, "expected": expected}


def cml_content(fixtures):
    """Whole steps."""
    return {"cases": [cml_case(f, fixtures[f], s) for f in FIXTURES for s in (0.1, 1.0)]}


def g2d_case(name, inputs, epoch, ids):
    """A step in an epoch of 4 with held modalities, or after them."""
    strength, tau, hold = 0.5, 2.0, 4
    sure = losses.sigmoid(objective.teacher_margins(inputs)["batch"]).mean(axis=1)
    if ids:
        found = balancers.margins(inputs.parameters, inputs)
        sure = np.append(sure, losses.sigmoid(found["ids"]).mean())
    learn = balancers.g2d_learn(sure, balancers.g2d_learners(epoch, len(sure), hold))

    def loss(parameters):
        return balancers.g2d_total(parameters, inputs, strength, tau, REG)

    owners = [*inputs.features, "id"] if ids else inputs.features
    factors = dict(zip(owners, learn.astype(float), strict=True))
    plain = gradients.complex_step(loss, inputs.parameters)
    expected = {
        "sure": sure,
        "learn": learn.astype(float),
        "total": loss(inputs.parameters),
        "gradients": scaled(plain, factors, 1.0),
    }
    return {
        "fixture": name, "reg": REG, "strength": strength, "tau": tau, "hold": hold,
        "epoch": epoch, "ids": ids, "expected": expected,
    }  # fmt: skip


def g2d_content(fixtures):
    """Whole steps: in the first epoch, in the middle of those with held modalities, later."""
    epochs = [(1, False), (3, False), (5, False), (1, True), (4, True)]
    return {"cases": [g2d_case(f, fixtures[f], *e) for f in FIXTURES for e in epochs]}


def arl_case(name, inputs, alpha, bias):
    """Its factors, and the gradient before they multiply the step of a group."""
    variances = balancers.arl_variances(balancers.margins(inputs.parameters, inputs)["uni"])
    k = balancers.arl_factors(variances, alpha)
    count = len(variances)

    def loss(parameters):
        blended = [bias if count > 1 else 0.0] * count + [1.0]
        return balancers.gb_total(parameters, inputs, blended, REG)

    plain = gradients.complex_step(loss, inputs.parameters)
    expected = {
        "variances": variances,
        "factors": k,
        "total": loss(inputs.parameters),
        "gradients": scaled(plain, dict(zip(inputs.features, k, strict=True)), 1.0),
    }
    return {"fixture": name, "reg": REG, "alpha": alpha, "bias": bias, "expected": expected}


def arl_content(fixtures):
    """Whole steps."""
    settings = [(1.0, 1.0), (0.5, 0.25), (2.0, 0.0)]
    return {"cases": [arl_case(f, fixtures[f], *s) for f in FIXTURES for s in settings]}


def flat(gradient, names):
    """The tables of these names as one vector."""
    return np.concatenate([gradient[name].ravel() for name in names])


def pareto_groups(parameters, modalities):
    """Names of each modality's tables, then of the ids'."""
    ends = [*modalities, "id"]
    return [[name for name in parameters if name.split(".", 1)[1] == end] for end in ends]


def mmpareto_case(name, inputs, strength, reg):
    """One step; a large penalty makes conflicts."""
    given, modalities = inputs.parameters, list(inputs.features)
    count = len(modalities)

    def of(loss):
        return gradients.complex_step(loss, given)

    def whole(parameters):
        return balancers.gb_total(parameters, inputs, [0.0] * count + [1.0], reg)

    def own(m):
        return lambda p: strength * balancers.own_loss(p, inputs, m)

    every = [of(whole)] + [of(own(m)) for m in range(count)]
    result, cosines, weights = {}, [], []
    for m, names in enumerate(pareto_groups(given, modalities)):
        taking_part = [0, 1 + m] if m < count else list(range(count + 1))
        vectors = np.stack([flat(every[k], names) for k in taking_part])
        lengths = np.linalg.norm(vectors, axis=1)
        agreement = vectors @ vectors.T / np.outer(lengths, lengths)
        # A float32 implementation must see the same conflicts.
        assert np.all(np.abs(agreement) > 1e-3)
        a, h = balancers.pareto(vectors)
        if count == 1:
            h = vectors[0]
        if m < count:
            cosines.append(agreement[0, 1])
            weights.append(a[1])
        places = np.cumsum([given[key].size for key in names])[:-1]
        for key, values in zip(names, np.split(h, places), strict=True):
            result[key] = values.reshape(given[key].shape)
    total = whole(given) + (sum(own(m)(given) for m in range(count)) if count > 1 else 0.0)
    expected = {"cosines": cosines, "weights": weights, "total": total, "gradients": result}
    return {"fixture": name, "reg": reg, "strength": strength, "expected": expected}


def mmpareto_content(fixtures):
    """Weights of points nearest to zero, and whole steps."""
    rng = np.random.default_rng(11)
    hulls = []
    for count in (2, 2, 3, 3, 4, 5, 4, 3):
        vectors = np.round(rng.normal(0.1, 1, (count, 6)) * 256) / 256
        gram = vectors @ vectors.T
        hulls.append({"gram": gram, "weights": balancers.pareto(vectors)[0]})
    assert any(np.any(np.array(hull["weights"]) == 0) for hull in hulls)
    settings = [(0.5, REG), (1.0, REG), (1.0, 2.0)]
    steps = [mmpareto_case(f, fixtures[f], *s) for f in FIXTURES for s in settings]
    assert min(min(step["expected"]["cosines"]) for step in steps) < 0
    return {"hulls": hulls, "cases": steps}


CONTENTS = {
    "gb": gb_content,
    "ogm": ogm_content,
    "cohesion": cohesion_content,
    "agm": agm_content,
    "cml": cml_content,
    "g2d": g2d_content,
    "arl": arl_content,
    "mmpareto": mmpareto_content,
}
