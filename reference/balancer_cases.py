"""Content of golden/{gb,ogm,cohesion,agm,cml}.json. Fixtures are those of ckd.json, by name."""

import numpy as np

import balancers
import gradients

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

    def loss(parameters):
        return balancers.gb_total(parameters, inputs, weights, REG)

    expected = {
        "weights": weights,
        "total": loss(inputs.parameters),
        "gradients": gradients.complex_step(loss, inputs.parameters),
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


def ogm_case(name, inputs, contribution, alpha):
    found = balancers.margins(inputs.parameters, inputs)
    a = balancers.ogm_contributions(found, contribution)
    scores = (1 / (1 + np.exp(-a))).mean(axis=1)
    detail = balancers.ogm_factors(scores, alpha)
    factors = dict(zip(inputs.features, detail["k"], strict=True))

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
        "expected": expected,
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


def agm_case(name, inputs, alpha):
    """The second of two steps; in the first every parameter had half its value."""
    half = {key: values / 2 for key, values in inputs.parameters.items()}
    responses = [
        balancers.agm_responses(balancers.margins(given, inputs))
        for given in (half, inputs.parameters)
    ]
    history = [balancers.agm_ratios(phi) for phi in responses]
    kappa = balancers.agm_factors(history, alpha)

    def loss(parameters):
        return balancers.agm_total(parameters, inputs, kappa, responses[1], REG)

    expected = {
        "ratios": history,
        "kappa": kappa,
        "responses": responses[1].mean(axis=1),
        "total": loss(inputs.parameters),
        "gradients": gradients.complex_step(loss, inputs.parameters),
    }
    return {"fixture": name, "reg": REG, "alpha": alpha, "expected": expected}


def agm_content(fixtures):
    """Whole steps."""
    return {"cases": [agm_case(f, fixtures[f], a) for f in FIXTURES for a in (0.5, 1.0)]}


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


CONTENTS = {
    "gb": gb_content,
    "ogm": ogm_content,
    "cohesion": cohesion_content,
    "agm": agm_content,
    "cml": cml_content,
}
