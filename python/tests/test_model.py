import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import equipoise as eq

from conftest import ITEMS, USERS


def test_lists_hold_the_best_unseen_items(model, data):
    users, items = model.embeddings()
    row = model.users.index("u5")
    seen = {r["item"] for table in (data.train, data.validation) for r in table.rows() if r["user"] == "u5"}
    scores = dict(zip(model.items, (items @ users[row]).tolist()))
    best = sorted((item for item in model.items if item not in seen), key=lambda item: -scores[item])[:7]
    found = model.recommend(users=["u5"], n=7)
    assert [r["item"] for r in found.rows()] == best
    np.testing.assert_allclose([r["score"] for r in found.rows()], [scores[item] for item in best], rtol=1e-5)
    everyone = pl.DataFrame(model.recommend_all(7)).filter(pl.col("user") == "u5")
    assert everyone["item"].to_list() == best


def test_a_request_has_every_field(model):
    found = model.recommend(users=["u1", "u2"], n=4, exclude=["i9"], offset=1, modality_weights={"image": 0}, explain=True)
    frame = found.to_polars()
    assert frame.columns[:6] == ["list", "user", "rank", "item", "score", "title"]
    assert frame["user"].to_list() == ["u1"] * 4 + ["u2"] * 4
    np.testing.assert_allclose(frame["part:ids"] + frame["part:text"] + frame["part:image"], frame["score"], atol=1e-4)
    assert (frame["part:image"] == 0).all()
    assert len(found.lists) == 2 and "because" in found.lists[0]["items"][0]
    restricted = model.recommend(users=["u1"], restrict=["i3", "i4"], exclude_seen=False)
    assert set(restricted.to_dict()["item"]) == {"i3", "i4"}
    assert set(restricted.to_pandas()["item"]) == {"i3", "i4"}
    cheap = model.recommend(users=["u1"], filter={"range": {"price": {"max": 9}}}, exclude_seen=False, n=50)
    assert {int(item[1:]) for item in cheap.to_dict()["item"]} == set(range(10))
    vector = model.embeddings()[0][model.users.index("u1")]
    by_vector = model.recommend(vectors=[vector], exclude_seen=False, n=5).to_dict()["item"]
    assert by_vector == model.recommend(users=["u1"], exclude_seen=False, n=5).to_dict()["item"]


def test_strangers_are_served_by_their_baskets(model):
    found = model.recommend(history=[["i0", "i4", ("i8", 2.0)], ["i1"]], n=5).to_polars()
    assert found["list"].to_list() == [0] * 5 + [1] * 5
    assert found["user"].null_count() == 10
    kinds = [int(item[1:]) % 4 for item in found.filter(pl.col("list") == 0)["item"]]
    assert kinds.count(0) >= 3
    assert not {"i0", "i4", "i8"} & set(found.filter(pl.col("list") == 0)["item"])


def test_errors_name_the_field_and_what_to_do(model):
    with pytest.raises(eq.ModelError, match="u1000") as caught:
        model.recommend(users=["u1000"])
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, eq.Error)
    for request, says in [
        ({}, "users"),
        ({"users": ["u1"], "history": [["i1"]]}, "users"),
        ({"users": ["u1"], "n": 0}, "n"),
        ({"users": ["u1"], "diversity": 2.0}, "diversity"),
        ({"users": ["u1"], "modality_weights": {"sound": 1}}, "sound"),
    ]:
        with pytest.raises(eq.ModelError, match=says):
            model.recommend(**request)
    with pytest.raises(eq.ConfigError, match="unknown"):
        model.recommend(users=["u1"], unknown="guess")
    assert model.recommend(users=["u1000"], unknown="popularity").lists[0]["fallback"] == "popularity"
    with pytest.raises(eq.ConfigError, match="threads = 0"):
        model.recommend(users=["u1"], threads=0)


def test_embeddings_are_views_of_memory_that_rust_owns(model):
    users, items = model.embeddings()
    again, _ = model.embeddings()
    assert users.shape == (USERS, items.shape[1]) and items.shape[0] == ITEMS
    assert users.ctypes.data == again.ctypes.data == model._engine.embeddings()[0].address
    assert not users.flags.writeable and not users.flags.owndata
    with pytest.raises(ValueError):
        users[0, 0] = 1.0
    np.testing.assert_allclose(users[3] @ items[4], model.score("u3", model.items[4]), rtol=1e-5)


def test_a_view_outlives_its_model(data):
    from conftest import QUICK

    model = eq.train(data, seed=2, settings=QUICK, progress=False)
    users, _ = model.embeddings()
    copy = users.copy()
    del model
    np.testing.assert_array_equal(users, copy)


def test_results_go_to_arrow_without_a_copy(model):
    table = model.recommend_all(3)
    one, two = pa.table(table), pa.table(table)
    address = lambda t: t.column("score").chunk(0).buffers()[1].address
    assert address(one) == address(two)
    again = eq.Table(eq._engine.ArrowTable.from_stream(one))
    assert address(pa.table(again)) == address(one)


def test_explanations_add_up(model):
    why = model.explain("u1", "i42")
    assert sum(why["parts"].values()) == pytest.approx(why["score"], abs=1e-4)
    assert set(why["without"]) == {"image", "text"}
    assert "<table>" in why._repr_html_()
    assert model.explain(item="i42", history=["i2", "i6"])["rank"] is not None
    with pytest.raises(eq.ModelError, match="item"):
        model.explain("u1")


def test_similar_items_are_of_one_kind_by_their_pictures(model):
    likes = model.similar_items("i42", n=5, modality="image").to_dict()["item"]
    assert sum(int(item[1:]) % 4 == 2 for item in likes) >= 4
    assert len(model.similar_users("u1", n=3)) == 3
    with pytest.raises(eq.ModelError, match="did you mean|i4"):
        model.similar_items("i4200")


def test_new_items_are_found_by_their_features_alone(model, capsys):
    kind = np.zeros(8, np.float32)
    kind[2] = 1.0
    grown = model.with_items(["new"], image=kind)
    assert grown.n_items == ITEMS + 1 and grown.items[-1] == "new"
    assert "text: new items without features" in capsys.readouterr().err
    likes = grown.similar_items("new", n=5, modality="image").to_dict()["item"]
    assert all(int(item[1:]) % 4 == 2 for item in likes)
    assert len(grown.recommend(users=["u1"], restrict=["new"])) == 1
    table = {"item": ["a", "b"], "title": ["one", "two"]}
    two = grown.with_items(table, image=np.stack([kind, kind]), quiet=True)
    assert two.recommend(users=["u1"], restrict=["a"]).to_dict()["title"] == ["one"]
    for items, features, says in [
        (["i3"], {"image": kind}, "already"),
        (["x", "x"], {"image": np.stack([kind, kind])}, "twice"),
        (["x"], {"image": kind[:3]}, "3 columns, expected 8"),
        (["x"], {"sound": kind}, "sound"),
        (["x"], {"image": np.stack([kind, kind])}, "2 rows for 1 items"),
        (["x"], {}, "none are given"),
    ]:
        with pytest.raises(eq.Error, match=says):
            model.with_items(items, **features)


def test_faults_of_new_items_name_what_was_given(model):
    rows = {name: np.ones((1, 3), np.float32) for name in model.modalities}
    first = model.modalities[0]
    for changed, says in [
        ({first: rows[first]}, f"^{first}: .*3 columns"),
        ({first: ["a text"]}, "texts, expected a matrix of numbers"),
        ({}, "^features: none are given; expected at least one modality"),
    ]:
        with pytest.raises(eq.Error, match=says):
            model.with_items(["fresh"], **changed)


def test_a_saved_model_answers_as_before(model, tmp_path):
    model.save(tmp_path / "m.eq")
    loaded = eq.load(tmp_path / "m.eq")
    assert loaded.recommend_all(5).to_dict() == model.recommend_all(5).to_dict()
    with pytest.raises(eq.ModelError):
        model.save(tmp_path / "m.eq")
    model.save(tmp_path / "m.eq", overwrite=True)
    assert loaded.with_items(["new"], image=np.ones(8), quiet=True).n_items == ITEMS + 1
    with pytest.raises(eq.ModelError, match="no run of its own"):
        loaded.metric("recall@5")
    with pytest.raises(eq.ModelError, match="channel"):
        model.channel("image").save(tmp_path / "c.eq")
    with pytest.raises(eq.Error):
        eq.load(tmp_path / "nothing")


def test_channels_are_models(model):
    image = model.channel("image")
    assert image.recommend_all(3).to_dict() != model.recommend_all(3).to_dict()
    assert model.ids_only().n_items == ITEMS
    with pytest.raises(eq.ModelError, match="sound"):
        model.without("sound")


def test_an_audit_is_a_page_and_words(model, data, tmp_path):
    from conftest import QUICK

    plain = eq.train(data, seed=1, settings=QUICK, progress=False)
    report = eq.audit(model, against=plain)
    assert {verdict.modality for verdict in report.verdicts} == {"image", "text"}
    assert "recall@5" in repr(report) and report.headline in report.headline
    assert "<iframe srcdoc=" in report._repr_html_() and "<script" not in report.html()
    report.save(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text() == report.html()
    assert report.numbers["plain"]["whole"] == pytest.approx(plain.metric("recall@5"))
    with pytest.raises(eq.ModelError, match="no run of its own"):
        eq.audit(model.channel("image"))
