"""Hand-picked inputs of the weighting rules and the content of weights.json."""

import numpy as np

import weights

# name, gamma^m, T^m. T is the mean margin used as the denominator of rho.
BATCH = [
    ("one_modality", [0.3], [0.9]),
    ("one_modality_harmful", [-0.3], [0.9]),
    ("one_modality_zero_teacher", [0.3], [0.0]),
    ("two_plain", [0.2, 0.6], [0.8, 1.2]),
    ("two_equal", [0.25, 0.25], [0.5, 0.5]),
    ("two_one_harmful", [-0.1, 0.4], [1.0, 1.0]),
    ("two_one_dead", [0.0, 0.4], [1.0, 1.0]),
    ("two_all_harmful", [-0.1, -0.4], [1.0, 2.0]),
    ("two_all_zero", [0.0, 0.0], [1.0, 2.0]),
    ("two_zero_teacher", [0.5, 0.5], [0.0, 1.0]),
    ("two_negative_teacher", [0.5, 0.5], [-1.0, 1.0]),
    ("two_negative_teacher_and_effect", [-0.5, 0.5], [-1.0, 1.0]),
    ("two_failed_teacher_of_a_harmful_modality", [-0.1, 0.2], [-0.5, 1.0]),
    ("two_failed_teachers", [-0.1, 0.2], [-0.5, 0.0]),
    ("one_modality_failed_teacher", [0.3], [-0.9]),
    ("two_zero_over_zero", [0.0, 0.5], [0.0, 1.0]),
    ("two_teacher_at_floor", [2e-6, 0.5], [1e-6, 1.0]),
    ("two_teacher_below_floor", [2e-7, 0.5], [1e-7, 1.0]),
    ("two_ratio_at_upper_clamp", [15.0, 0.5], [1.0, 1.0]),
    ("two_both_at_upper_clamp", [15.0, 30.0], [1.0, 1.0]),
    ("two_ratio_below_lower_clamp", [1e-9, 0.5], [1.0, 1.0]),
    ("three_plain", [0.2, 0.6, 0.1], [0.8, 1.2, 0.5]),
    ("three_one_dead", [0.2, 0.6, 0.0], [0.8, 1.2, 0.5]),
    ("three_two_harmful", [0.2, -0.6, -0.1], [0.8, 1.2, 0.5]),
    ("three_all_harmful", [-0.2, -0.6, -0.1], [0.8, 1.2, 0.5]),
    ("three_failed_teacher", [0.2, 0.6, 0.1], [0.8, -1.2, 0.0]),
    ("three_one_failed_teacher", [0.2, 0.6, -0.1], [0.8, 1.2, -0.5]),
    ("three_tiny_effects", [1e-7, 3e-7, 2e-7], [1.0, 1.0, 1.0]),
    ("four_plain", [0.1, 0.2, 0.3, 0.4], [1.0, 1.0, 2.0, 0.5]),
    ("huge_inputs", [1e30, -1e30], [1e-30, 1e30]),
]

# beta, gamma per step, T per step.
SMOOTHED = [
    ("two_beta_0.5", 0.5,
     [[0.4, 0.1], [-0.2, 0.3], [0.1, 0.2], [0.0, 0.5]],
     [[1.0, 0.5], [1.2, 0.7], [0.8, -0.6], [1.0, 0.9]]),
    ("three_beta_0.99", 0.99,
     [[-0.1, 0.2, 0.3], [0.4, 0.2, 0.1], [0.5, 0.6, -0.7]],
     [[0.5, 0.6, 0.7], [0.8, 0.9, 1.0], [1.1, 1.2, 1.3]]),
    ("one_beta_0.9", 0.9, [[0.1], [-0.5]], [[1.0], [0.0]]),
    ("two_beta_0", 0.0, [[0.4, 0.1], [0.2, 0.3]], [[1.0, 0.5], [1.2, 0.7]]),
]  # fmt: skip

# delta^m_b, student margin Ds^m_b, teacher margin Dt^m_b; one row per modality.
TRIPLE = [
    ("two_plain", [[0.2, 0.5, 0.1], [0.4, 0.3, 0.6]],
     [[0.8, 0.9, 0.5], [0.7, 0.6, 1.1]], [[1.0, 1.1, 0.9], [0.8, 1.3, 1.2]]),
    ("two_both_negative_flips_released", [[-0.5, -0.5], [0.5, 0.2]],
     [[-0.25, -1.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]),
    ("two_zero_over_zero", [[0.0, 0.0, 0.4], [0.5, 0.0, 0.0]],
     [[0.0, 0.0, 0.8], [1.0, 0.0, 0.0]], [[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]]),
    ("two_over_zero", [[0.5, -0.5, 0.5], [0.5, 0.5, -0.5]],
     [[0.0, 0.0, 0.0], [1.0, 1.0, 0.0]], [[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]),
    ("two_saturated", [[5.0, 0.001, 5.0], [0.1, 0.2, 5.0]],
     [[0.01, 10.0, 0.01], [1.0, 0.001, 0.01]], [[1.0, 1.0, 0.1], [1.0, 1.0, 0.1]]),
    ("two_negative_student", [[0.5, -0.5], [0.5, 0.5]],
     [[-1.0, 1.0], [1.0, 1.0]], [[1.0, -1.0], [1.0, 1.0]]),
    ("one_modality", [[0.5, 0.0, -0.5]], [[1.0, 0.0, 1.0]], [[1.0, 0.0, -1.0]]),
    ("three_plain", [[0.2, -0.1], [0.4, 0.3], [0.1, 0.2]],
     [[0.8, 0.9], [0.7, 0.6], [0.5, 0.4]], [[1.0, 1.1], [0.8, 1.3], [0.9, 0.7]]),
    ("three_failed_teachers", [[0.2, -0.1, 0.1], [0.4, 0.3, 0.2], [0.1, 0.2, -0.3]],
     [[0.8, 0.9, 0.5], [0.7, 0.6, 0.4], [0.5, 0.4, 0.3]],
     [[-1.0, 1.1, -0.1], [0.8, -1.3, 0.0], [0.9, -0.7, -0.2]]),
    ("three_with_zero_over_zero", [[0.0, 0.0], [0.4, 0.0], [0.1, 0.0]],
     [[0.0, 0.0], [0.7, 0.0], [0.5, 0.0]], [[0.0, 1.0], [0.8, 1.0], [0.9, 1.0]]),
]  # fmt: skip

OPTIONS = [
    (scale, shape) for shape in weights.SHAPES for scale in weights.SCALES
]


def batch_case(name, gamma, reference):
    """rho~, share, and lambda under each shape and scale."""
    gamma, reference = np.array(gamma), np.array(reference)
    rho = weights.guarded_ratio(gamma, reference)
    expected = {"rho": rho, "share": weights.batch(gamma, reference)["share"]}
    for scale, shape in OPTIONS:
        expected[f"{shape}_{scale}"] = weights.weigh(rho, scale, shape, reference)
    return {"name": name, "gamma": gamma, "T": reference, "expected": expected}


def smoothed_case(name, beta, gammas, references):
    """Averages and default weights after each step."""
    smoother, steps = weights.Smoother(beta), []
    for gamma, reference in zip(np.array(gammas), np.array(references), strict=True):
        averaged = smoother.step(gamma, reference)
        found = {"gamma": averaged[0], "T": averaged[1], **weights.batch(*averaged)}
        steps.append({"gamma": gamma, "T": reference, "expected": found})
    return {"name": name, "beta": beta, "steps": steps}


def triple_case(name, delta, student, teacher):
    """Ratios and weights per triple under each triple-level rule."""
    delta, student = np.array(delta), np.array(student)
    teacher = np.array(teacher)
    expected = {
        "released": weights.released(delta, student),
        "sign_safe": weights.sign_safe(delta, student),
    }
    for source, reference in (("teacher", teacher), ("student", student)):
        for scale, shape in OPTIONS:
            key = f"paper_{source}_{shape}_{scale}"
            expected[key] = weights.triple(delta, reference, scale, shape, source)
    inputs = {"delta": delta, "student": student, "teacher": teacher}
    return {"name": name, **inputs, "expected": expected}


def content():
    """The whole of weights.json."""
    return {
        "constants": {"eps": weights.EPS, "r_min": weights.R_MIN, "r_max": weights.R_MAX},
        "batch": [batch_case(*case) for case in BATCH],
        "smoothed": [smoothed_case(*case) for case in SMOOTHED],
        "triple": [triple_case(*case) for case in TRIPLE],
    }
