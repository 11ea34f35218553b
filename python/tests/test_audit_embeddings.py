import numpy as np
import pytest

import equipoise as eq


def test_the_audit_of_a_models_tables_is_that_of_its_run(model, data):
    modalities = model.modalities
    tables = {"full": model.embeddings(), "ids": model.ids_only().embeddings()}
    tables.update({f"only:{name}": model.channel(name).embeddings() for name in modalities})
    found = eq.audit_embeddings(tables, train=data, test=data, metric="recall@5", name="model").numbers
    expected = eq.audit(model).numbers
    for key in ("whole", "ids_only", "popularity", "evaluated_users", "ids_only_error"):
        assert found[key] == pytest.approx(expected[key]), key
    for mine, theirs in zip(found["modalities"], expected["modalities"], strict=True):
        for key in ("channel", "without"):
            assert mine[key] == pytest.approx(theirs[key]), key
        for key in ("removal", "ids", "whole"):
            assert mine["errors"][key] == pytest.approx(theirs["errors"][key]), key


def test_teachers_are_measured_with_and_without_their_modality():
    rng = np.random.default_rng(1)
    pair = lambda: (rng.normal(size=(30, 4)), rng.normal(size=(40, 4)))
    train, test = [[u % 40] for u in range(30)], [[(u + 1) % 40] for u in range(30)]
    tables, teacher, silenced = {"full": pair(), "only:a": pair(), "ids": pair()}, pair(), pair()
    report = eq.audit_embeddings(
        tables, train=train, test=test, teachers={"a": teacher}, silenced_teachers={"a": silenced}, metric="recall@9"
    )
    values = [
        eq.evaluate(*of, train=train, test=test, k=9).per_user.to_polars()["recall@9"].to_numpy()
        for of in (teacher, silenced, tables["only:a"])
    ]
    found = report.numbers["modalities"][0]
    assert found["teacher"] == pytest.approx(values[0].mean()) and found["teacher_ids_only"] == pytest.approx(values[1].mean())
    assert found["errors"]["content"] == pytest.approx(np.std(values[0] - values[1], ddof=1) / np.sqrt(30))
    assert found["errors"]["shortfall"] == pytest.approx(np.std(values[0] - values[2], ddof=1) / np.sqrt(30))


def test_what_follows_is_made_and_what_is_missing_is_named():
    rng = np.random.default_rng(0)
    pair = lambda users=30: (rng.normal(size=(users, 4)), rng.normal(size=(40, 4)))
    train, test = [[u % 40] for u in range(30)], [[(u + 1) % 40] for u in range(30)]
    given = {"train": train, "test": test, "metric": "recall@5"}
    tables = {"full": pair(), "only:a": pair(), "only:b": pair(), "ids": pair()}
    report = eq.audit_embeddings(tables, **given)
    assert len(report.verdicts) == 2 and "recall@5" in report.text()
    numbers = {m["name"]: m for m in report.numbers["modalities"]}
    assert numbers["a"]["without"] == numbers["b"]["channel"]
    three = {**tables, "only:c": pair()}
    for tables, says in [
        ({}, "expected full"),
        ({"full": pair()}, "only:<modality>"),
        (three, "without:a is missing"),
        ({**tables, "just:a": pair()}, "just:a"),
        ({**tables, "only:b": pair(29)}, "29 users"),
    ]:
        with pytest.raises(eq.DataError, match=says):
            eq.audit_embeddings(tables, **given)
    with pytest.raises(eq.DataError, match="recall@20"):
        eq.audit_embeddings({"full": pair(), "only:a": pair(), "ids": pair()}, train=train, test=test, metric="recall")


def test_what_is_no_pair_no_modality_and_no_model_is_refused(model, data):
    pair = model.embeddings()
    tables = {"full": pair, "ids": model.ids_only().embeddings()}
    tables.update({f"only:{name}": model.channel(name).embeddings() for name in model.modalities})
    with pytest.raises(eq.DataError, match="'full' is no pair of matrices"):
        eq.audit_embeddings({**tables, "full": pair[0]}, train=data, test=data)
    with pytest.raises(eq.DataError, match="teachers: 'imgae' is no modality"):
        eq.audit_embeddings(tables, train=data, test=data, teachers={"imgae": pair})
    with pytest.raises(eq.ModelError, match="str, expected a Model"):
        eq.audit("model")
