"""Content of vbpr.json and ckd.json."""

from itertools import product

import gradients
import objective
import vbpr

PAPER = {
    "mode": "paper",
    "reweight": True,
    "weight_level": "batch",
    "weight_scale": "sum1",
    "weight_shape": "complement",
    "weight_smooth": "none",
    "rho_denominator": "teacher",
}
RELEASED = {"mode": "released"}
SIGN_SAFE = {"mode": "sign_safe"}

# Larger than any sensible setting so that every term shows in the total.
BASE = {
    "specific": "hinge",
    "lambda_kd": 0.5,
    "lambda_g": 0.5,
    "tau": 0.1,
    "reg": 0.01,
    "weights": PAPER,
}


def describe(inputs):
    """The inputs of a fixture as they stand in the files."""
    users, items = len(inputs.parameters["user.id"]), len(inputs.parameters["item.id"])
    modalities = [
        {"name": name, "width": values.shape[1], "features": values}
        for name, values in inputs.features.items()
    ]
    return {
        "users": users,
        "items": items,
        "width": inputs.width,
        "modalities": modalities,
        "parameters": inputs.parameters,
        "triples": inputs.triples,
    }


def with_teachers(inputs):
    """`describe` plus generic triples and teacher tables."""
    teachers = [
        {"name": name, "width": users.shape[1], "users": users, "items": items}
        for name, (users, items) in inputs.teachers.items()
    ]
    return {**describe(inputs), "generic": inputs.generic, "teachers": teachers}


def ablation(inputs, name, silenced):
    """Tables, scores and batch margins of one f(S)."""
    users, items = vbpr.forward(inputs.parameters, inputs.features, silenced)
    return {
        "name": name,
        "silenced": silenced,
        "users": users,
        "items": items,
        "scores": vbpr.scores(users, items),
        "margins": vbpr.margins(users, items, inputs.triples),
    }


def vbpr_content(fixtures):
    """The whole of vbpr.json."""
    cases = []
    for name, inputs in fixtures.items():
        if name.endswith("_open"):
            passes = [
                ablation(inputs, label, silenced)
                for label, silenced in vbpr.named_ablations(list(inputs.features))
            ]
            cases.append({"name": name, **describe(inputs), "ablations": passes})
    return {"cases": cases}


def paper(**changes):
    """Paper-mode weight options with some of them changed."""
    return {**PAPER, **changes}


def variants(modalities):
    """name -> changes to BASE, for a fixture with that many modalities."""
    rules = {"paper": PAPER, "released": RELEASED, "sign_safe": SIGN_SAFE}
    listing = {
        f"{rule}_{specific}": {"weights": options, "specific": specific}
        for (rule, options), specific in product(rules.items(), ("hinge", "kl", "mse"))
        if rule != "sign_safe" or specific == "hinge"
    }
    listing["base"] = {"lambda_kd": 0.0}
    listing["without_generic"] = {"lambda_g": 0.0}
    listing["released_defaults"] = {
        "weights": RELEASED, "lambda_kd": 0.01, "lambda_g": 5.0, "reg": 1e-5,
    }  # fmt: skip
    if modalities == 1:
        return listing
    listing["paper_no_reweight"] = {"weights": paper(reweight=False)}
    listing["paper_no_reweight_sum_nM"] = {
        "weights": paper(reweight=False, weight_scale="sum_nM")
    }
    listing["paper_sum_nM"] = {"weights": paper(weight_scale="sum_nM"), "tau": 0.5}
    listing["paper_inverse"] = {"weights": paper(weight_shape="inverse")}
    listing["paper_student"] = {"weights": paper(rho_denominator="student")}
    listing["paper_triple"] = {"weights": paper(weight_level="triple")}
    return listing


GUARDED = ("paper_hinge", "released_hinge", "sign_safe_hinge")
"""Variants repeated on the fixtures with a harmful modality."""


def written_variants(fixture, modalities):
    """name -> full configuration of every student case written for a fixture."""
    return {
        label: {**BASE, **changes}
        for label, changes in variants(modalities).items()
        if fixture.endswith("_open") or label in GUARDED
    }


def student_case(label, fixture, inputs, config):
    """Expected terms, weights and gradient of one student objective."""
    student = objective.student_margins(inputs.parameters, inputs)
    teacher = objective.teacher_margins(inputs)
    found = objective.step_weights(config, student, teacher)
    terms = objective.student_terms(inputs.parameters, inputs, config, found["w"])

    def loss(parameters):
        return objective.student_terms(parameters, inputs, config, found["w"])["total"]

    expected = {
        "margins": {**student, "teacher": teacher["batch"],
                    "teacher_generic": teacher["generic"]},
        "weights": found,
        **terms,
        "gradients": gradients.complex_step(loss, inputs.parameters),
    }  # fmt: skip
    return {
        "name": f"{fixture}.{label}",
        "fixture": fixture,
        "objective": "student",
        "config": config,
        "expected": expected,
    }


def teacher_case(fixture, inputs, kept, reg=0.01):
    """Expected terms and gradient of the teacher that keeps modality `kept`."""

    def loss(parameters):
        return objective.teacher_terms(parameters, inputs, kept, reg)["total"]

    expected = objective.teacher_terms(inputs.parameters, inputs, kept, reg)
    expected["gradients"] = gradients.complex_step(loss, inputs.parameters)
    return {
        "name": f"{fixture}.teacher_{kept}",
        "fixture": fixture,
        "objective": "teacher",
        "config": {"kept": kept, "reg": reg},
        "expected": expected,
    }


def ckd_content(fixtures):
    """The whole of ckd.json."""
    cases = []
    for fixture, inputs in fixtures.items():
        written = written_variants(fixture, len(inputs.features))
        cases += [
            student_case(label, fixture, inputs, config)
            for label, config in written.items()
        ]
        if fixture.endswith("_open"):
            cases += [teacher_case(fixture, inputs, kept) for kept in inputs.features]
    listing = [{"name": name, **with_teachers(one)} for name, one in fixtures.items()]
    return {"fixtures": listing, "cases": cases}
