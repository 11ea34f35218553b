"""Content of adam.json: single arrays with given gradients, and two training runs."""

import numpy as np

import adam
import ckd_cases
import gradients
import objective

# name, lr, start, gradient per step.
ARRAYS = [
    ("constant_gradient", 0.1, [1.0, -1.0], [[0.5, -0.25]] * 4),
    ("changing_sign", 0.01, [0.5, 0.0, -0.5],
     [[1.0, -2.0, 0.5], [-1.0, 0.5, 0.25], [0.5, 0.5, -2.0], [2.0, -1.0, 0.125],
      [-0.25, 0.0, 1.0]]),
    ("zero_gradient_moves_nothing", 0.1, [1.0, 2.0], [[0.0, 0.0]] * 3),
    ("momentum_outlives_the_gradient", 0.05, [1.0], [[1.0], [0.0], [0.0], [0.0]]),
    ("first_gradient_after_idle_steps", 0.05, [1.0], [[0.0], [0.0], [0.5], [0.5]]),
    ("scale_of_epsilon", 0.1, [0.0, 0.0, 0.0],
     [[1e-6, 1e-8, 1e-10], [1e-6, -1e-8, 1e-10]]),
    ("large_gradient", 5e-4, [3.0], [[1e6], [-1e3], [1.0]]),
]  # fmt: skip


def array_case(name, lr, start, gradients):
    """Parameter and both moments after every step."""
    parameter = np.array(start)
    state, steps = adam.Adam(parameter.shape, lr), []
    for gradient in np.array(gradients):
        parameter = state.step(parameter, gradient)
        expected = {
            "parameter": parameter,
            "first": state.first,
            "second": state.second,
        }
        steps.append({"gradient": gradient, "expected": expected})
    return {"name": name, "lr": lr, "start": start, "steps": steps}


def trajectory(fixture, inputs, changes, steps=3, lr=0.05):
    """Adam steps of the student objective, weights recomputed before each step.

    `loss` and `lambda` are those before the step, `parameters` those after it.
    """
    config, parameters = {**ckd_cases.BASE, **changes}, dict(inputs.parameters)
    optimisers = {k: adam.Adam(v.shape, lr) for k, v in parameters.items()}
    records = []
    for _ in range(steps):
        w, terms, gradient = _student_step(parameters, inputs, config)
        parameters = {
            key: optimisers[key].step(value, gradient[key])
            for key, value in parameters.items()
        }
        records.append({
            "loss": terms["total"],
            "lambda": w.mean(axis=1),
            "parameters": parameters,
        })  # fmt: skip
    return {"fixture": fixture, "lr": lr, "config": config, "steps": records}


def _student_step(parameters, inputs, config):
    """Weights, terms and gradient of the student objective at `parameters`."""
    student = objective.student_margins(parameters, inputs)
    w = objective.step_weights(config, student, objective.teacher_margins(inputs))["w"]
    terms = objective.student_terms(parameters, inputs, config, w)
    return w, terms, gradients.student(parameters, inputs, config, w)


def content(fixtures):
    """The whole of adam.json."""
    runs = {
        "paper": ("m3_open", {}),
        "released": ("m2_open", {"weights": ckd_cases.RELEASED}),
        "base": ("m2_open", {"lambda_kd": 0.0}),
    }
    constants = {"beta1": adam.BETA1, "beta2": adam.BETA2, "eps": adam.EPS}
    trajectories = [
        {"name": name, **trajectory(fixture, fixtures[fixture], changes)}
        for name, (fixture, changes) in runs.items()
    ]
    return {
        "constants": constants,
        "arrays": [array_case(*case) for case in ARRAYS],
        "trajectories": trajectories,
    }
