"""Made-up courses of several steps and evaluations, and the content of robust.json."""

import numpy as np

import robust

# name, modalities, gates, goals, scale of content in the student, scale of content in the teachers.
COURSES = [
    ("two", 2, [1.0, 0.8, 0.4], [0.3, 0.25, 0.2], [0.2, 0.6], [1.0, 1.0]),
    ("two_one_worthless", 2, [0.5, 1.0, 1.0], [0.3, 0.25, 0.2], [0.2, 0.0], [1.0, 0.0]),
    ("two_one_harmful_teacher", 2, [1.0, 1.0, 1.0], [0.3, 0.25, 0.2], [0.2, 0.2], [1.0, -1.0]),
    ("two_shut", 2, [0.0, 0.0, 0.0], [0.3, 0.25, 0.2], [0.2, 0.2], [1.0, 1.0]),
    ("one", 1, [0.7, 1.0], [0.3, 0.25], [0.1], [0.8]),
    ("three", 3, [0.7, 1.0, 0.3, 0.0], [0.3, 0.25, 0.2, 0.0], [0.1, 0.3, 2.0], [0.8, 0.8, 0.8]),
]
STEPS = 4
TRIPLES = 7


def margins(rng, modalities, student_scale, teacher_scale):
    """Margins of a step, rounded to what float32 holds."""
    draw = lambda scale, shift=0.3: (rng.normal(size=TRIPLES) * abs(scale) + shift * scale).astype(np.float32)
    ids = draw(0.5)
    content = [draw(scale) for scale in student_scale]
    full = ids + np.sum(content, axis=0)
    teacher_ids = [draw(0.7) for _ in range(modalities)]
    student = {
        "full": full,
        "ids": ids,
        "only": [ids + c for c in content],
        "without": [full - c for c in content],
    }
    teacher = {
        "ids": draw(1.5, 0.8),
        "own": [i + draw(scale, 0.9) for i, scale in zip(teacher_ids, teacher_scale)],
        "silenced": teacher_ids,
    }
    return student, teacher


def course(seed, name, modalities, gates, goals, student_scale, teacher_scale):
    """Weights after each step; after every second one an evaluation."""
    rng = np.random.default_rng(seed)
    state, steps = robust.Robust(gates, goals), []
    for k in range(STEPS):
        student, teacher = margins(rng, modalities, student_scale, teacher_scale)
        gamma, tau, variance = robust.robust_step(student, teacher)
        weight = state.step(gamma, tau, variance)
        expected = {"gamma": gamma, "tau": tau, "variance": variance, "weight": weight}
        steps.append({"student": student, "teacher": teacher, "expected": expected})
        if k % 2:
            channels = np.array(goals) * rng.uniform(0.85, 1.05, size=len(goals))
            state.evaluated(channels)
            steps[-1] |= {"channels": channels, "fade": state.fade.copy()}
    return {"name": name, "gates": gates, "goals": goals, "steps": steps}


def content():
    """The whole of robust.json."""
    return {"courses": [course(seed, *of) for seed, of in enumerate(COURSES)]}
