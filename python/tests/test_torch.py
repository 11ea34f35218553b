"""CKD in PyTorch against the reference values, in float64 to 1e-8."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import equipoise as eq

try:
    import torch
except (ImportError, OSError, ValueError) as error:
    pytest.skip(f"no PyTorch: {error}", allow_module_level=True)

from equipoise.torch import (
    CKD,
    FULL,
    AllTeachers,
    Robust,
    Teacher,
    Triples,
    Weigher,
    bpr,
    cross_entropy,
    fit,
    ids_only,
    margins,
    mean_ablated,
    only,
    penalty,
    measured,
    train_all_teachers,
    train_teachers,
    validated,
    without,
)

GOLDEN = Path(__file__).resolve().parents[2] / "reference" / "golden"


def golden(name: str):
    return json.loads((GOLDEN / f"{name}.json").read_text())


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def close(found, expected, what=""):
    found = found.detach().double().numpy() if isinstance(found, torch.Tensor) else np.asarray(found)
    expected = np.asarray(expected, dtype=np.float64)
    assert found.shape == expected.shape, f"{what}: {found.shape}, expected {expected.shape}"
    assert (np.abs(found - expected) <= 1e-8 * (1 + np.abs(expected))).all(), f"{what}: {found}, expected {expected}"


class Vbpr:
    """The reference's VBPR, of a fixture's parameters."""

    def __init__(self, fixture):
        self.features = {m["name"]: tensor(m["features"]) for m in fixture["modalities"]}
        self.parameters = {name: tensor(values).requires_grad_() for name, values in fixture["parameters"].items()}

    def __call__(self, ablation):
        p = self.parameters
        features = mean_ablated(self.features, ablation)
        preferences = mean_ablated({name: p[f"user.{name}"] for name in self.features}, ablation)
        projected = [features[name] @ p[f"weight.{name}"].T + p[f"bias.{name}"] for name in self.features]
        return torch.cat([p["user.id"], *preferences.values()], dim=1), torch.cat([p["item.id"], *projected], dim=1)


def switches(config):
    w = config["weights"]
    given = {name: config[name] for name in ("lambda_kd", "lambda_g", "tau", "specific")}
    if w["mode"] == "released":
        return {**given, "weights": "released"}
    if w["mode"] == "sign_safe":
        return {**given, "level": "triple", "denominator": "student", "guard": "floored", "sum": "modalities"}
    sums = {"sum1": "one", "sum_nM": "modalities", "printed": "printed"}
    return {
        **given,
        "weights": "paper" if w["reweight"] else "uniform",
        "level": w["weight_level"],
        "denominator": w["rho_denominator"],
        "sum": sums[w["weight_scale"]],
        "shape": w["weight_shape"],
    }


CKD_GOLDEN = golden("ckd")
STUDENT = [case for case in CKD_GOLDEN["cases"] if case["objective"] == "student"]
TEACHER = [case for case in CKD_GOLDEN["cases"] if case["objective"] == "teacher"]


def fixture_of(case):
    return next(fixture for fixture in CKD_GOLDEN["fixtures"] if fixture["name"] == case["fixture"])


def test_the_reference_file_is_whole():
    assert len(STUDENT) >= 50 and len(TEACHER) >= 6
    assert {len(fixture_of(case)["modalities"]) for case in STUDENT} == {1, 2, 3}


@pytest.mark.parametrize("case", STUDENT, ids=[case["name"] for case in STUDENT])
def test_every_student_step_is_the_reference_one(case):
    fixture, config, expected = fixture_of(case), case["config"], case["expected"]
    model = Vbpr(fixture)
    teachers = {t["name"]: Teacher(tensor(t["users"]), tensor(t["items"])) for t in fixture["teachers"]}
    assert list(teachers) == list(model.features)
    ckd = CKD(teachers, **switches(config))
    triples, generic = torch.tensor(fixture["triples"]), torch.tensor(fixture["generic"])
    step = ckd.margins(model, triples, generic)
    for key, found in [
        ("full", step.full),
        ("uni", step.only),
        ("loo", step.without),
        ("generic", step.generic),
        ("teacher", step.teacher),
        ("teacher_generic", step.teacher_generic),
    ]:
        close(found, expected["margins"][key], key)
    taught = ckd.loss(step)
    weights = expected["weights"]
    close(taught.weights.effect, weights["gamma"], "gamma")
    close(taught.weights.teacher_margin, weights["T"], "T")
    close(taught.weights.weight, weights["lambda"], "lambda")
    if "rho" in weights:
        close(taught.weights.rho, weights["rho"], "rho")
    if "ratio" in weights:
        close(taught.weights.rho, np.mean(weights["ratio"], axis=1), "ratio")
    if taught.weights.per_triple is not None:
        close(taught.weights.per_triple, weights["w"], "w")
    close(taught.specific, expected["specific"], "specific")
    close(taught.generic, expected["generic"], "generic")
    close(taught.loss, expected["distillation"], "distillation")
    users, items = model(FULL)
    ranking, l2 = bpr(step.full), penalty(users, items, triples, config["reg"])
    close(ranking, expected["bpr"], "bpr")
    close(l2, expected["l2"], "l2")
    total = ranking + l2 + taught.loss
    close(total, expected["total"], "total")
    total.backward()
    assert set(model.parameters) == set(expected["gradients"])
    for name, parameter in model.parameters.items():
        found = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
        close(found, expected["gradients"][name], f"gradient of {name}")


@pytest.mark.parametrize("case", TEACHER, ids=[case["name"] for case in TEACHER])
def test_every_teacher_step_is_the_reference_one(case):
    fixture, config, expected = fixture_of(case), case["config"], case["expected"]
    model, triples = Vbpr(fixture), torch.tensor(fixture["triples"])
    users, items = model(only(config["kept"], list(model.features)))
    total = bpr(margins(users, items, triples)) + penalty(users, items, triples, config["reg"])
    close(total, expected["total"])
    total.backward()
    for name, parameter in model.parameters.items():
        found = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
        close(found, expected["gradients"][name], f"gradient of {name}")


WEIGHTS = golden("weights")
SUMS = {"sum1": "one", "sum_nM": "modalities", "printed": "printed"}


def of_step(weigher, step):
    gamma, teacher = tensor(step["gamma"])[:, None], tensor(step["T"])[:, None]
    return weigher.weigh(torch.zeros(1, dtype=torch.float64), torch.ones_like(gamma), -gamma, teacher)


@pytest.mark.parametrize("shape", ["complement", "inverse"])
@pytest.mark.parametrize("scale", list(SUMS))
def test_batch_weights_are_the_reference_ones(shape, scale):
    assert len(WEIGHTS["batch"]) >= 20
    for case in WEIGHTS["batch"]:
        found = of_step(Weigher(shape=shape, sum=SUMS[scale]), case)
        close(found.weight, case["expected"][f"{shape}_{scale}"], case["name"])
        close(found.rho, case["expected"]["rho"], case["name"])


def test_smoothed_weights_are_the_reference_ones_also_after_a_checkpoint():
    for case in WEIGHTS["smoothed"]:
        weigher = Weigher(smooth=case["beta"])
        for step in case["steps"]:
            again = Weigher(smooth=case["beta"])
            again.load_state_dict(weigher.state_dict())
            weigher = again
            found = of_step(weigher, step)
            close(found.rho, step["expected"]["rho"], case["name"])
            close(found.weight, step["expected"]["lambda"], case["name"])


def rule(name):
    if name == "released":
        return Weigher("released")
    if name == "sign_safe":
        return Weigher("released", guard="floored")
    _, below, shape, scale = name.split("_", 3)
    return Weigher(level="triple", denominator=below, shape=shape, sum=SUMS[scale])


def test_triple_weights_are_the_reference_ones_under_every_rule():
    rules = 0
    for case in WEIGHTS["triple"]:
        delta, student, teacher = (tensor(case[key]) for key in ("delta", "student", "teacher"))
        full = torch.zeros(delta.shape[1], dtype=torch.float64)
        for name, expected in case["expected"].items():
            found = rule(name).weigh(full, student, -delta, teacher)
            close(found.per_triple, expected["w"], f"{case['name']} {name}")
            close(found.rho, np.mean(expected["ratio"], axis=1), f"{case['name']} {name}")
            rules += 1
    assert rules >= 80


def test_released_logarithms_are_capped_and_exact_ones_are_not():
    student, teacher = tensor([-9.0]).requires_grad_(), tensor([9.0])
    exact, released = (cross_entropy(student, teacher, 0.1, log) for log in ("exact", "released"))
    assert exact.item() == pytest.approx(90.0) and released.item() == pytest.approx(18.42, abs=0.01)
    released.sum().backward()
    assert abs(float(student.grad)) < 1e-6


def test_ablations_silence_what_they_say():
    names = ["a", "b", "c"]
    assert only("b", names) == {"a", "c"} and without("b") == {"b"} and ids_only(names) == set(names)
    with pytest.raises(ValueError, match="expected one of"):
        only("d", names)
    tables = {"a": torch.tensor([[1.0], [3.0]], requires_grad=True), "b": torch.tensor([[5.0], [7.0]])}
    found = mean_ablated(tables, frozenset(["a"]))
    assert found["a"].tolist() == [[2.0], [2.0]] and found["b"] is tables["b"]
    found["a"][0].sum().backward()
    assert tables["a"].grad.tolist() == [[0.5], [0.5]]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"weights": "robust"}, "paper, released, uniform"), # a class of its own
        ({"specific": "l1"}, "hinge, kl, mse"),
        ({"tau": 0.0}, "more than 0"),
        ({"lambda_kd": -1.0}, "0 or more"),
        ({"smooth": 1.0}, "less than 1"),
        ({"teachers": {}}, "one for each modality"),
        ({"generic_items": 1}, "2 items"),
    ],
)
def test_switches_that_are_none_are_refused(changed, says):
    given = {"teachers": {"a": Teacher(torch.ones(2, 1), torch.ones(3, 1))}, **changed}
    with pytest.raises(ValueError, match=says):
        CKD(given.pop("teachers"), **given)


def test_generic_triples_are_of_two_items_of_the_pool():
    ckd = CKD({"a": Teacher(torch.ones(2, 1), torch.ones(9, 1))}, generic_triples=500, generic_items=3)
    drawn = ckd.draw_generic(4, 9, torch.Generator().manual_seed(1))
    assert drawn.shape == (500, 3) and (drawn[:, 1] != drawn[:, 2]).all()
    assert len(set(drawn[:, 1:].flatten().tolist())) == 3 and set(drawn[:, 0].tolist()) == {0, 1, 2, 3}
    assert CKD(ckd.teachers, lambda_g=0.0).draw_generic(4, 9) is None


class Small(torch.nn.Module):
    """VBPR over a data set."""

    def __init__(self, data, width=8):
        super().__init__()
        self.features = {name: torch.from_numpy(data.features(name).copy()) for name in data.modalities}
        draw = lambda *shape: torch.nn.Parameter(0.1 * torch.randn(*shape))
        self.ids = torch.nn.ParameterList([draw(data.n_users, width), draw(data.n_items, width)])
        self.preferences = torch.nn.ParameterDict({name: draw(data.n_users, width) for name in self.features})
        self.projections = torch.nn.ModuleDict({name: torch.nn.Linear(t.shape[1], width) for name, t in self.features.items()})

    def forward(self, ablation):
        features, users = mean_ablated(self.features, ablation), mean_ablated(dict(self.preferences), ablation)
        items = [self.projections[name](features[name]) for name in self.features]
        return torch.cat([self.ids[0], *users.values()], 1), torch.cat([self.ids[1], *items], 1)


def test_triples_prefer_what_was_met_to_what_was_not(data):
    drawn = Triples(data, torch.Generator().manual_seed(0)).draw(2000)
    met = set(zip(*(part.tolist() for part in data.indices("train"))))
    assert all((u, i) in met and (u, j) not in met for u, i, j in drawn.tolist())
    again = Triples(data, torch.Generator().manual_seed(0), uniform="interactions").draw(2000)
    assert all((u, i) in met and (u, j) not in met for u, i, j in again.tolist())


def test_a_backbone_learns_with_ckd_and_keeps_its_best_epoch(data):
    make = lambda: (torch.manual_seed(0), Small(data))[1]
    settings = {"lr": 0.02, "batch_size": 256, "epochs": 8, "metric": "recall@5"}
    before = validated(make(), data, metric="recall@5")
    teachers = train_teachers(make, data, **settings)
    assert list(teachers) == ["image", "text"]
    heard = []
    model = make()
    fitted = fit(model, data, balance=CKD(teachers, lambda_kd=0.1, generic_triples=200), listener=heard.append, **settings)
    assert fitted.best > before + 0.1
    assert validated(model, data, metric="recall@5") == fitted.best == max(e["validation"] for e in fitted.epochs)
    assert heard == fitted.epochs and all(sum(e["weights"]) == pytest.approx(1.0) for e in heard)
    assert 0 < measured(model, data)["recall@10"] <= 1
    again = make()
    assert fit(again, data, balance=CKD(teachers, lambda_kd=0.1, generic_triples=200), **settings).epochs == fitted.epochs


@pytest.mark.parametrize("backbone", ["vbpr", "fused", "early-fusion"])
def test_the_example_trains_its_backbones(data, backbone):
    import importlib.util

    path = Path(__file__).resolve().parents[1] / "examples" / "ckd_in_pytorch.py"
    spec = importlib.util.spec_from_file_location("ckd_in_pytorch", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    training = {"lr": 0.02, "reg": 1e-4, "batch_size": 256, "eval_every": 2, "patience": 2, "epochs": 6}
    distillation = {"lambda_kd": 0.1, "lambda_g": 1.0, "generic_triples": 100}
    found = example.run(data, backbone, 8, 1, training, distillation)
    # Half of the items of a user's kind are found among the first twenty by chance alone.
    assert found["plain"] > 0.5 and found["ckd"] > 0.5
    if backbone == "vbpr":
        assert example.run_in_rust(data, 8, 1, training, distillation, 1)["plain"] > 0.5


ROBUST = golden("robust")["stacks"]


def told(margins):
    """A teacher that has these margins on the triples ``(k, k, last)``."""
    items = torch.zeros(len(margins) + 1, 1, dtype=torch.float64)
    items[:-1, 0] = tensor(margins)
    return Teacher(torch.ones(len(margins), 1, dtype=torch.float64), items)


def of_case(case):
    given, names = case["teachers"], [f"m{m}" for m in range(len(case["teachers"]["own"]))]
    of = lambda rows: dict(zip(names, map(told, rows)))
    return AllTeachers(of(given["own"]), of(given["silenced"]), tuple(map(told, given["ids"])), told(case["other"]))


def unmeasured(teachers, gate=1.0, **settings):
    """Robust weights without data, of which the test says what was measured."""
    robust = Robust.__new__(Robust)
    robust.teachers, robust.modalities, robust.gate = teachers, list(teachers.modalities), gate
    robust._teaching = CKD({"m": teachers.plain}, **settings)._teaching
    return robust


@pytest.mark.parametrize("case", ROBUST, ids=[case["name"] for case in ROBUST])
def test_the_sum_of_teachers_is_the_reference_one(case):
    count, expected = len(case["users"]), case["expected"]
    robust = unmeasured(of_case(case))
    triples = torch.tensor([[k, k, count] for k in range(count)])
    # The users of the case are not those of the made-up tables.
    users = np.asarray(case["users"], dtype=np.uint32)
    components = torch.cat([robust._of_ids(triples), robust._contents(triples)]).numpy()
    other = np.asarray(case["other"], dtype=np.float64)
    ids, silenced, content, gains, worth = eq._engine.stack(np.ascontiguousarray(components), users, other)
    near = lambda found, wanted: np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-8)
    near([*ids, *silenced, *content], expected["weights"])
    near([mean for mean, _ in gains], expected["gains"])
    near([error for _, error in gains], expected["errors"])
    near(worth, expected["worth"])
    robust.stack = eq.torch.Stack(tensor(ids), tensor(silenced), tensor(content), gains, worth)
    found_ids, found = robust._targets(triples, robust._contents(triples))
    near(found_ids, expected["ids"])
    near(found, expected["whole"])


def test_the_loss_is_that_of_the_whole_model_and_of_its_ids():
    case = next(case for case in ROBUST if case["name"] == "three")
    count = len(case["users"])
    robust = unmeasured(of_case(case), gate=0.7, lambda_kd=0.3, lambda_g=2.0, tau=0.5)
    weights = case["expected"]["weights"]
    robust.stack = eq.torch.Stack(tensor(weights[:2]), tensor(weights[2:5]), tensor(weights[5:]), [], (0.0, 0.0))
    items = torch.linspace(-1.0, 1.0, count + 1, dtype=torch.float64)[:, None].requires_grad_()
    users = torch.ones(count, 1, dtype=torch.float64)
    backbone = lambda silenced: (users, items * (0.5 if silenced else 1.0))
    triples = torch.tensor([[k, k, count] for k in range(count)])
    generic = triples[::2].flip(0)
    step = robust.margins(backbone, triples, generic)
    taught = robust.loss(step)
    wanted, wanted_ids = tensor(case["expected"]["whole"]), tensor(case["expected"]["ids"])
    margin = (items[:-1] - items[-1])[:, 0]
    drawn = generic[:, 0]
    expected = 0.0
    for student, target in ((margin, wanted), (0.5 * margin, wanted_ids)):
        ordered = cross_entropy(student[drawn], target[drawn], 0.5).mean()
        expected += 0.3 * 0.7 * (torch.relu(target - student).mean() + 2.0 * ordered)
    close(taught.loss, expected.detach())
    close(taught.weights.weight, 0.7 * tensor(weights[5:]))
    (slope,) = torch.autograd.grad(expected, items, retain_graph=True)
    taught.loss.backward()
    close(items.grad, slope)


def test_nothing_is_taught_where_the_gate_is_shut():
    robust = unmeasured(of_case(ROBUST[0]), gate=0.0)
    asked = []
    backbone = lambda silenced: (asked.append(silenced), (torch.ones(2, 1, requires_grad=True), torch.ones(3, 1)))[1]
    step = robust.margins(backbone, torch.tensor([[0, 1, 2]]), robust.draw_generic(2, 3))
    taught = robust.loss(step)
    assert asked == [FULL] and float(taught.loss) == 0
    assert taught.weights.weight.tolist() == [0.0]


def test_a_backbone_learns_with_robust_weights(data):
    make = lambda: (torch.manual_seed(0), Small(data))[1]
    settings = {"lr": 0.02, "batch_size": 256, "epochs": 6, "metric": "recall@5"}
    teachers = train_all_teachers(make, data, **settings)
    assert list(teachers.modalities) == list(teachers.silenced) == ["image", "text"]
    robust = Robust(teachers, data, lambda_kd=0.5, generic_triples=200, metric="recall@5")
    assert 0 <= robust.gate <= 1 and (robust.stack.content >= 0).all() and (robust.stack.ids >= 0).all()
    robust.gate = max(robust.gate, 0.5)
    model = make()
    fitted = fit(model, data, balance=robust, **settings)
    assert validated(model, data, metric="recall@5") == fitted.best
    again = Robust(teachers, data, lambda_kd=0.5, generic_triples=200, metric="recall@5")
    assert torch.equal(again.stack.content, robust.stack.content), "the same seed"


def test_the_plain_model_is_kept_where_the_taught_one_is_worse(data):
    make = lambda: (torch.manual_seed(0), Small(data))[1]
    settings = {"lr": 0.02, "batch_size": 256, "epochs": 6, "metric": "recall@5"}
    teachers = train_all_teachers(make, data, **settings)
    plain = make()
    alone = fit(plain, data, **settings)
    assert alone.best_epoch > 0 and alone.taught is None
    assert all(torch.equal(value, teachers.parameters[name]) for name, value in plain.state_dict().items())

    # Targets of the other sign, so strong that nothing else is learned.
    robust = Robust(teachers, data, lambda_kd=100.0, generic_triples=200, metric="recall@5", specific="mse")
    robust.gate, robust.stack.content, robust.stack.ids = 1.0, -robust.stack.content - 1.0, -robust.stack.ids - 1.0
    model = make()
    fitted = fit(model, data, balance=robust, **settings)
    assert fitted.best_epoch == 0 and fitted.taught < fitted.best == alone.best
    assert validated(model, data, metric="recall@5") == alone.best
    assert len(fitted.epochs) > 0, "it was taught"

    teachers.parameters = None
    assert fit(make(), data, balance=robust, **settings).best == fitted.taught, "never kept"


def test_a_backbone_unlike_the_plain_model_is_refused_before_training(data):
    make = lambda: (torch.manual_seed(0), Small(data))[1]
    robust = Robust(train_all_teachers(make, data, epochs=1, metric="recall@5"), data, metric="recall@5")
    robust.gate = 1.0
    other = make()
    other.wide = torch.nn.Linear(2, 2)
    with pytest.raises(ValueError, match="has another wide.bias than this backbone"):
        fit(other, data, balance=robust, epochs=1, metric="recall@5")


class Odd(torch.nn.Module):
    """A backbone that gives whatever ``change`` makes of its tables."""

    def __init__(self, data, change):
        super().__init__()
        self.inner, self.change = Small(data), change

    def forward(self, silenced):
        return self.change(*self.inner(silenced))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda users, items: users, "it gives Tensor of shape .*expected .users, items."),
        (lambda users, items: (items, users), "expected .80, width. of the users and .60, width. of the items"),
        (lambda users, items: (users[:5], items), r"tables of \(5, "),
        (lambda users, items: (users[:, :1], items), r"tables of \(80, 1\)"),
        (lambda users, items: (users.detach().numpy(), items), "it gives ndarray of shape"),
        (lambda users, items: (users.detach(), items.detach()), "no gradient reaches its parameters"),
    ],
)
@pytest.mark.parametrize("taught", [False, True])
def test_what_is_no_pair_of_tables_is_refused(data, change, says, taught):
    rows = lambda count: torch.ones(count, 2)
    ckd = CKD({name: Teacher(rows(data.n_users), rows(data.n_items)) for name in data.modalities}) if taught else None
    with pytest.raises(eq.ConfigError, match=says):
        fit(Odd(data, change), data, balance=ckd, epochs=1, metric="recall@5")


def test_settings_and_teachers_that_do_not_fit_are_refused_before_training(data):
    for changed, says in [
        ({"epochs": 0}, "epochs = 0, expected a whole number from 1"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"patience": "3"}, "patience = '3'"),
        ({"lr": float("nan")}, "lr = nan, expected a number from 0"),
        ({"metric": "recal@5"}, "recal"),
    ]:
        with pytest.raises(eq.ConfigError, match=says):
            fit(Small(data), data, **{"epochs": 1, "metric": "recall@5", **changed})
    one = Teacher(torch.ones(data.n_users, 1), torch.ones(data.n_items, 1))
    with pytest.raises(eq.ConfigError, match="teachers of imgae, expected one for each modality of the data: image, text"):
        fit(Small(data), data, balance=CKD({"imgae": one}), epochs=1, metric="recall@5")
    for make in (Small(data), None):
        for teach in (train_teachers, train_all_teachers):
            with pytest.raises(eq.ConfigError, match="expected a callable that makes a fresh backbone"):
                teach(make, data, epochs=1)
    with pytest.raises(eq.ConfigError, match="expected a torch.nn.Module"):
        fit(lambda silenced: None, data)
    with pytest.raises(eq.ConfigError, match="count = 0"):
        Triples(data, torch.Generator()).draw(0)


def test_features_that_say_nothing_are_not_taught(clicks):
    rng = np.random.default_rng(3)
    noise = {name: rng.normal(size=(60, 8)).astype(np.float32) for name in ("image", "text")}
    catalogue = {"item": [f"i{item}" for item in range(60)]}
    shuffled = eq.Dataset.from_frames(clicks, items=catalogue, features=noise, split="mmrec", quiet=True)
    make = lambda: (torch.manual_seed(0), Small(shuffled))[1]
    settings = {"lr": 0.02, "batch_size": 256, "epochs": 8, "metric": "recall@5"}
    robust = Robust(train_all_teachers(make, shuffled, **settings), shuffled, metric="recall@5")
    assert (robust.gate * robust.stack.content).max() < 0.2 * robust.stack.ids.max().clamp(min=1.0)


def test_teachers_that_are_missing_and_halves_that_are_too_small_are_refused(data):
    one = Teacher(torch.ones(2, 1), torch.ones(3, 1))
    with pytest.raises(ValueError, match="one for each modality"):
        Robust(AllTeachers({"a": one}, {}, (one, one), one), data)
    from equipoise.torch._robust import _half

    users = np.arange(41).repeat(2)
    chosen, _ = _half((users, users), np.random.default_rng(0))
    assert len(chosen) == 40 and all((chosen == user).sum() == 2 for user in chosen)
    with pytest.raises(ValueError, match="fewer than four users"):
        _half((np.array([0, 1, 2]), np.array([0, 0, 0])), np.random.default_rng(0))
