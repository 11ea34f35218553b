"""Self-checks run before any golden file is written; a failure stops the writer."""

from math import log

import numpy as np

import ckd_cases
import gradients
import losses
import metrics
import objective
import vbpr
import weight_cases
import weights


def close(a, b, tolerance=1e-12):
    """Largest difference, relative to max(1, |b|), within the tolerance."""
    a, b = np.asarray(a), np.asarray(b)
    worst = np.max(np.abs(a - b) / np.maximum(1.0, np.abs(b)), initial=0.0)
    assert worst <= tolerance, f"expected a difference up to {tolerance}, found {worst}"


def additive_parts(inputs):
    """D_id = x_u.(x_i - x_j) and D_m = p_u^m . W_m (e_i^m - e_j^m) on the batch."""
    given, (u, i, j) = inputs.parameters, inputs.triples.T
    shared = np.sum(given["user.id"][u] * (given["item.id"][i] - given["item.id"][j]), 1)
    parts = {
        name: np.sum(
            given[f"user.{name}"][u]
            * ((raw[i] - raw[j]) @ given[f"weight.{name}"].T),
            axis=1,
        )
        for name, raw in inputs.features.items()
    }
    return shared, parts


def check_additive_margins(inputs):
    """Substituted inputs give the margins of the additive identity, for every f(S)."""
    shared, parts = additive_parts(inputs)
    for _, silenced in vbpr.named_ablations(list(inputs.features)):
        tables = vbpr.forward(inputs.parameters, inputs.features, silenced)
        audible = [parts[name] for name in parts if name not in silenced]
        close(vbpr.margins(*tables, inputs.triples), shared + sum(audible))


def channel_margins(parameters, inputs, kept, triples):
    """Margins of uni(kept)."""
    silenced = vbpr.uni(inputs.features, kept)
    tables = vbpr.forward(parameters, inputs.features, silenced)
    return vbpr.margins(*tables, triples)


def check_silenced_gradients(inputs):
    """A pairwise loss of uni(m) has zero gradient at P^k, W_k, b_k, k != m."""
    for kept in inputs.features:
        found = gradients.complex_step(
            lambda parameters, kept=kept: losses.bpr(
                channel_margins(parameters, inputs, kept, inputs.triples)
            ),
            inputs.parameters,
        )
        for other in vbpr.uni(inputs.features, kept):
            for kind in ("user", "weight", "bias"):
                close(found[f"{kind}.{other}"], 0.0, 1e-14)
        assert np.any(found[f"weight.{kept}"] != 0)


def check_losses():
    """Hinge silent at the teacher, g minimal there with value H(p), finite at 1e4."""
    grid = np.linspace(-3, 3, 25)
    close(losses.hinge(grid, grid), 0.0)
    close(gradients.specific_slope("hinge", grid, grid, 0.1), 0.0)
    for tau in (0.1, 1.0):
        p = losses.sigmoid(grid / tau)
        floor = losses.generic(grid, grid, tau)
        inner = np.where((p > 1e-9) & (p < 1 - 1e-9), p, 0.5)
        entropy = -(inner * np.log(inner) + (1 - inner) * np.log1p(-inner))
        close(np.where(inner == p, floor - entropy, 0.0), 0.0, 1e-9)
        for shift in (-0.5, -0.01, 0.01, 0.5):
            assert np.all(losses.generic(grid, grid + shift, tau) > floor)
    far = np.array([-1e4, 1e4])
    assert np.all(np.isfinite(losses.generic(far, far[::-1], 1.0)))
    close(losses.generic(np.zeros(1), np.zeros(1), 0.1), log(2))


def check_coinciding_generic_pair(inputs):
    """A generic triple with j = k costs ln 2 and moves no parameter."""
    pair = np.array([t for t in inputs.generic.tolist() if t[1] == t[2]])
    assert len(pair) == 1
    for name, (users, items) in inputs.teachers.items():
        teacher = vbpr.margins(users, items, pair)

        def loss(parameters, name=name, teacher=teacher):
            student = channel_margins(parameters, inputs, name, pair)
            return losses.generic(teacher, student, 0.1).sum()

        close(loss(inputs.parameters), log(2))
        for gradient in gradients.complex_step(loss, inputs.parameters).values():
            close(gradient, 0.0, 0.0)


def check_weight_ranges():
    """Any input: finite, in [0, sum], right sum; none good: equal; no failed teacher teaches."""
    for name, gamma, reference in weight_cases.BATCH:
        gamma, reference = np.array(gamma), np.array(reference)
        teach = reference > 0
        for scale, shape in weight_cases.OPTIONS:
            found = weights.batch(gamma, reference, scale, shape)["lambda"]
            total = weights.scale_factor(scale, teach.sum()) if teach.any() else 0.0
            assert np.all((found >= 0) & (found <= total * (1 + 1e-15))), name
            close(found.sum(), total)
            close(found[~teach], 0.0)
            left = weights.batch(gamma[teach], reference[teach], scale, shape)["lambda"]
            close(found[teach], left)
            if np.all(gamma[teach] <= 0) or teach.sum() == 1:
                close(found[teach], total / max(teach.sum(), 1))
            order = np.arange(len(gamma))[::-1]
            turned = weights.batch(gamma[order], reference[order], scale, shape)
            close(turned["lambda"], found[order])


def check_printed_weights():
    """Positive inputs, no guard: Eq. (18), with sum 1 for two modalities and n - 1 for n."""
    rng = np.random.default_rng(18)
    for _ in range(100):
        gamma, reference = rng.uniform(0.1, 1.0, 2), rng.uniform(0.2, 2.0, 2)
        rho = gamma / reference
        for shape in weights.SHAPES:
            found = weights.batch(gamma, reference, "sum1", shape)["lambda"]
            close(found, 1 - rho / rho.sum())
            close(found.sum(), 1.0)
    for count in (1, 2, 3, 4):
        gamma, reference = rng.uniform(0.1, 1.0, count), rng.uniform(0.2, 2.0, count)
        rho = gamma / reference
        found = weights.batch(gamma, reference, "printed")["lambda"]
        close(found, 1 - rho / rho.sum())


def check_triple_weights():
    """Released and sign-safe: sum nM per triple, each weight in [0, nM / (nM - 1)]."""
    for name, delta, student, _ in weight_cases.TRIPLE:
        delta, student = np.array(delta), np.array(student)
        count = len(delta)
        limit = count / max(count - 1, 1)
        for rule in (weights.released, weights.sign_safe):
            w = rule(delta, student)["w"]
            close(w.sum(axis=0), float(count))
            assert np.all((w >= 0) & (w <= limit + 1e-15)), name


def check_released_two_modalities():
    """nM = 2: the general form equals w^t = 2 c^v / (c^t + c^v), w^v = 2 - w^t."""
    for _, delta, student, _ in weight_cases.TRIPLE:
        if len(delta) == 2:
            found = weights.released(np.array(delta), np.array(student))
            first = 2 * found["ratio"][1] / found["ratio"].sum(axis=0)
            close(found["w"], np.stack([first, 2 - first]))


def check_distillation_form():
    """Weights constant over the batch reduce the general form to Eq. (19)."""
    rng = np.random.default_rng(19)
    specific, generic = rng.uniform(size=(3, 6)), rng.uniform(size=3)
    factor = rng.uniform(size=3)
    found = losses.distillation(specific, generic, np.tile(factor[:, None], 6), 0.3, 5.0)
    close(found, 0.3 * np.sum(factor * (specific.mean(axis=1) + 5.0 * generic)))


def check_metrics():
    """g = 3, hits at ranks 1 and 4, K = 5, worked by hand."""
    found = metrics.evaluate([10, 1, 2, 40, 3], [10, 40, 99], [5])[0]
    close(found["recall"], 2 / 3)
    close(found["precision"], 2 / 5)
    close(found["ndcg_standard"], 0.67139, 1e-5)
    close(found["ndcg_retrieved"], 0.87722, 1e-5)


def check_student_gradient(inputs, config):
    """Complex step, hand-derived chain rule and finite differences agree."""
    student = objective.student_margins(inputs.parameters, inputs)
    teacher = objective.teacher_margins(inputs)
    w = objective.step_weights(config, student, teacher)["w"]

    def loss(parameters):
        return objective.student_terms(parameters, inputs, config, w)["total"]

    by_hand = gradients.student(inputs.parameters, inputs, config, w)
    compare_gradients(loss, inputs.parameters, by_hand)


def check_teacher_gradient(inputs, kept, reg=0.01):
    """The same three-way agreement for the teacher objective."""

    def loss(parameters):
        return objective.teacher_terms(parameters, inputs, kept, reg)["total"]

    by_hand = gradients.teacher(inputs.parameters, inputs, kept, reg)
    compare_gradients(loss, inputs.parameters, by_hand)


def compare_gradients(loss, parameters, by_hand):
    """Complex step to 1e-13 and finite differences to 1e-7 of the hand-derived values."""
    exact = gradients.complex_step(loss, parameters)
    differences = gradients.finite_difference(loss, parameters)
    assert exact.keys() == by_hand.keys()
    for name, gradient in exact.items():
        close(by_hand[name], gradient, 1e-13)
        close(differences[name], gradient, 1e-7)


def run(fixtures):
    """Every check."""
    check_losses()
    check_weight_ranges()
    check_printed_weights()
    check_triple_weights()
    check_released_two_modalities()
    check_distillation_form()
    check_metrics()
    for name, inputs in fixtures.items():
        check_additive_margins(inputs)
        check_silenced_gradients(inputs)
        check_coinciding_generic_pair(inputs)
        for config in ckd_cases.written_variants(name, len(inputs.features)).values():
            check_student_gradient(inputs, config)
        for kept in inputs.features:
            check_teacher_gradient(inputs, kept)
        print(f"checked {name}", flush=True)
