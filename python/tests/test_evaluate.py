import heapq
import math

import numpy as np
import pytest

import equipoise as eq


def world(users=50, items=90, width=8, seed=0):
    rng = np.random.default_rng(seed)
    u, i = rng.normal(size=(users, width)).astype(np.float32), rng.normal(size=(items, width)).astype(np.float32)
    train, test = [], []
    for _ in range(users):
        drawn = rng.choice(items, 10, replace=False).tolist()
        train.append(drawn[:7])
        test.append(drawn[7 : 7 + int(rng.integers(0, 4))])
    return u, i, train, test


def slow(u, i, train, test, k):
    """Means of recall, precision, NDCG and hit, by a heap for each user."""
    totals, counted = np.zeros(4), 0
    for user, wanted in enumerate(test):
        if not wanted:
            continue
        scores = (i.astype(np.float64) @ u[user].astype(np.float64)).tolist()
        candidates = [item for item in range(len(i)) if item not in set(train[user])]
        best = heapq.nlargest(k, candidates, key=lambda item: (scores[item], -item))
        hits = [item in wanted for item in best]
        gain = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits) if hit)
        ideal = sum(1 / math.log2(place + 2) for place in range(min(k, len(wanted))))
        totals += [sum(hits) / len(wanted), sum(hits) / k, gain / ideal, float(any(hits))]
        counted += 1
    return dict(zip(["recall", "precision", "ndcg", "hit"], (totals / counted).tolist()))


@pytest.mark.parametrize("k", [1, 5, 20])
def test_metrics_are_those_of_a_heap_per_user(k):
    u, i, train, test = world()
    result = eq.evaluate(u, i, train=train, test=test, k=k)
    for name, value in slow(u, i, train, test, k).items():
        assert result[f"{name}@{k}"] == pytest.approx(value, abs=1e-6), name
    assert result.evaluated_users + result.skipped_users == len(u)
    assert result.evaluated_users == sum(bool(wanted) for wanted in test)


def test_every_form_of_interactions_is_the_same():
    u, i, train, test = world()
    expected = eq.evaluate(u, i, train=train, test=test).metrics
    users = np.repeat(np.arange(len(u)), [len(x) for x in train])
    items = np.concatenate([np.array(x) for x in train])

    class Sparse:
        def tocoo(self):
            return self

        row, col, data, shape = users, items, np.ones(len(users)), (len(u), len(i))

    forms = [(users, items), np.stack([users, items], axis=1), dict(enumerate(train)), Sparse(), (users.astype(np.uint32), items)]
    for form in forms:
        assert eq.evaluate(u, i, train=form, test=test).metrics == expected
    assert eq.evaluate(u, i, test=test).metrics != expected


def test_interactions_that_do_not_fit_the_tables_are_refused():
    u, i, train, test = world()
    users, items = np.array([0, 1]), np.array([3, 4])

    class Sparse:
        row, col = users, items

        def __init__(self, data, shape=(len(u), len(i))):
            self.data, self.shape = np.array(data), shape

        def tocoo(self):
            return self

    for given, says in [
        (Sparse([1.0, 1.0], (len(i), len(u))), f"{len(i)} x {len(u)}, expected {len(u)} x {len(i)}"),
        (Sparse([1.0, np.nan]), "1 cells of the matrix are negative or NaN"),
        (Sparse([1.0, -1.0]), "1 cells of the matrix are negative or NaN"),
        (train[:-1], f"{len(u) - 1} lists, expected one for each of {len(u)} users"),
        ({"u1": [0]}, "'u1', expected row numbers"),
    ]:
        with pytest.raises(eq.DataError, match=says):
            eq.evaluate(u, i, train=given, test=test)
    only = eq.evaluate(u, i, train=train, test=Sparse([0.0, 2.0]))
    assert only.evaluated_users == 1, "a stored 0 is none"
    with pytest.raises(eq.ConfigError, match="metrics.*recal.*expected one of"):
        eq.evaluate(u, i, train=train, test=test, metrics=["recal"])
    with pytest.raises(eq.ConfigError, match="ks.*expected a whole number from 0"):
        eq.evaluate(u, i, train=train, test=test, k=[2.5])


def test_an_evaluation_is_a_mapping_of_metrics():
    u, i, train, test = world()
    found = eq.evaluate(u, i, train=train, test=test, k=np.int64(5))
    assert dict(found) == found.metrics and "recall@5" in found and len(found) == 4


def test_per_user_values_average_to_the_metrics():
    u, i, train, test = world()
    result = eq.evaluate(u, i, train=train, test=test, k=[5, 10], metrics=["recall", "ndcg"])
    table = result.per_user.to_polars()
    assert table.columns == ["user", "recall@5", "ndcg@5", "recall@10", "ndcg@10"] or set(table.columns) == {
        "user", "recall@5", "ndcg@5", "recall@10", "ndcg@10"
    }
    assert table["user"].to_list() == [user for user, wanted in enumerate(test) if wanted]
    assert table["recall@10"].mean() == pytest.approx(result["recall@10"])


def test_tables_are_read_where_they_lie():
    u, _, _, _ = world()
    assert eq._arrays.float_matrix(u, "users") is u
    assert eq._engine.address_of(u) == u.ctypes.data


def tensors():
    try:
        import torch
    except (ImportError, OSError, ValueError) as error:
        pytest.skip(f"no PyTorch: {error}")
    return torch


def test_tensors_are_read_where_they_lie():
    torch = tensors()
    tensor = torch.ones((4, 3), requires_grad=True)
    assert eq._engine.address_of(eq._arrays.float_matrix(tensor, "users")) == tensor.data_ptr()


def test_a_models_tables_give_what_its_run_measured(model, data):
    users, items = model.embeddings()
    result = eq.evaluate(users, items, train=data, test=data, k=[5])
    # `train=data` is its train, `test=data` its test.
    assert result["recall@5"] == pytest.approx(model.metric("recall@5"), abs=0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"items": np.ones((90, 3), np.float32)}, "users have 8 values"),
        ({"users": np.full((50, 8), np.nan, np.float32)}, "finite|NaN"),
        ({"test": {0: [1000]}}, "item 1000"),
        ({"test": {0: [-1]}}, "from -1"),
        ({"test": {0: []}}, "held out|held-out|nothing"),
        ({"test": None}, "none is given"),
        ({"test": "x"}, "expected"),
        ({"users": np.ones(8, np.float32)}, "1 dimensions"),
        ({"users": np.array([["a"]])}, "expected a matrix of numbers"),
        ({"k": 0}, "cut-offs of at least 1"),
        ({"metrics": ["recal"]}, "recal"),
    ],
)
def test_what_does_not_fit_is_refused(change, says):
    u, i, train, test = world()
    given = {"users": u, "items": i, "train": train, "test": test, **change}
    with pytest.raises((eq.DataError, eq.ConfigError), match=says):
        eq.evaluate(given.pop("users"), given.pop("items"), **given)
