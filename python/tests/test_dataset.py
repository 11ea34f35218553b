import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import equipoise as eq

from conftest import ITEMS, USERS


def made(clicks, image, **changed):
    given = {"items": [f"i{item}" for item in range(ITEMS)], "features": {"image": image}, "split": "mmrec", "quiet": True}
    return eq.Dataset.from_frames(clicks, **{**given, **changed})


def test_every_kind_of_frame_gives_the_same_data(clicks, image):
    frames = [clicks, pd.DataFrame(clicks), pl.DataFrame(clicks), pa.table(clicks), pl.DataFrame(clicks).lazy().collect()]
    frames.append(pd.DataFrame(clicks).astype("category"))
    frames.append(pl.DataFrame(clicks).with_columns(pl.col("user").cast(pl.Categorical)))
    assert len({made(frame, image).fingerprint for frame in frames}) == 1
    other = {**clicks, "item": clicks["item"][::-1]}
    assert made(other, image).fingerprint != made(clicks, image).fingerprint


def test_rows_are_joined_by_id_whatever_their_order(clicks, image):
    order = np.random.default_rng(1).permutation(ITEMS)
    ids = [f"i{item}" for item in order]
    expected = made(clicks, image)
    frame = pl.DataFrame({"item": ids, "vector": image[order].tolist()})
    given = [
        (ids, image[order]),
        {id: row for id, row in zip(ids, image[order])},
        frame,
        frame.to_pandas(),
        frame.to_arrow(),
        (pl.Series(ids), image[order].astype(np.float64)),
    ]
    for features in given:
        data = made(clicks, image, features={"image": features})
        assert data.items == expected.items
        np.testing.assert_array_equal(data.features("image"), image)


def test_a_position_that_nothing_proves_is_refused_and_numbers_from_0_are_said(clicks, image):
    with pytest.raises(eq.DataError, match="which row is whose"):
        made(clicks, image, items=None)
    with pytest.raises(eq.DataError, match="59 rows for 60 ids"):
        made(clicks, image[:-1])
    numbered = {"user": clicks["user"], "item": [int(item[1:]) for item in clicks["item"]]}
    data = made(numbered, image, items=None)
    assert any("taken for items 0 to 59" in note for note in data.notes), data.notes
    row = data.items.index("17")
    np.testing.assert_array_equal(data.features("image")[row], image[17])


def test_items_without_a_row_are_said_and_filled(clicks, image):
    ids = [f"i{item}" for item in range(1, ITEMS)]
    data = made(clicks, image, features={"image": (ids, image[1:])})
    assert any("1 of 60 items have no row" in note for note in data.notes), data.notes
    np.testing.assert_allclose(data.features("image")[0], image[1:].mean(axis=0), rtol=1e-5)


@pytest.mark.parametrize(
    ("ids", "says"),
    [([1.5, 2.0], "1.5 at place 0"), ([None, "a"], "None at place 0"), ("abc", "expected a list of ids"), ([True], "True")],
)
def test_ids_that_are_not_certain_are_refused(clicks, ids, says):
    with pytest.raises(eq.DataError, match=says):
        made(clicks, None, features={"image": (ids, np.ones((2, 2)))})


def test_half_precision_stays_and_gives_the_same_numbers(clicks, image, tmp_path):
    half = image.astype(np.float16)
    data = made(clicks, half, save_to=tmp_path / "half")
    np.testing.assert_array_equal(data.features("image"), half.astype(np.float32))
    assert np.load(tmp_path / "half" / "features" / "image.npy").dtype == np.float16


def test_held_out_tables_are_what_they_are(clicks, image):
    frame = pl.DataFrame(clicks)
    train, validation, test = frame[:-100], frame[-100:-50], frame[-50:]
    data = made(train, image, validation=validation, test=test, split=None)
    assert (len(data.train), len(data.validation), len(data.unseal_test())) == (len(train), 50, 50)
    assert sorted(data.validation.rows(), key=str) == sorted(validation.rows(named=True), key=str)
    with pytest.raises(eq.DataError, match="only one of validation and test"):
        made(train, image, validation=validation)


def test_a_split_that_nobody_gave_is_said(clicks, image):
    data = made(clicks, image, split=None)
    assert "split = ratio" in data.notes[0]
    column = ["train", "val", "test", "train"] * (len(clicks["user"]) // 4)
    data = made({**clicks, "split": column}, image, split=None)
    assert len(data.validation) == len(clicks["user"]) // 4
    assert not any("split = ratio" in note for note in data.notes)


def test_ratings_columns_and_shares(clicks, image):
    rated = {"who": clicks["user"], "what": clicks["item"], "stars": [5, 1] * (len(clicks["user"]) // 2)}
    data = made(rated, image, user="who", item="what", min_rating=3, split="ratio", shares=[0.5, 0.25, 0.25])
    total = len(data.train) + len(data.validation) + len(data.unseal_test())
    assert total == len(clicks["user"]) // 2
    with pytest.raises(eq.DataError, match="rating"):
        made(clicks, image, min_rating=3)
    with pytest.raises(eq.ConfigError, match="mmrek"):
        made(clicks, image, split="mmrek")


def test_a_saved_data_set_is_opened_as_it_was(clicks, image, tmp_path):
    data = made(clicks, image, save_to=tmp_path / "data")
    opened = eq.Dataset.open(tmp_path / "data", quiet=True)
    assert opened.fingerprint == data.fingerprint
    with pytest.raises(eq.DataError, match="data"):
        made(clicks, image, save_to=tmp_path / "data")
    assert made(clicks, image, save_to=tmp_path / "data", overwrite=True).fingerprint == data.fingerprint
    scaled = eq.Dataset.open(tmp_path / "data", scale="l2", quiet=True)
    np.testing.assert_allclose(np.linalg.norm(scaled.features("image"), axis=1), 1, rtol=1e-6)
    with pytest.raises(eq.ConfigError, match="scale"):
        eq.Dataset.open(tmp_path / "data", scale="loud")
    with pytest.raises(eq.DataError, match="No such file"):
        eq.Dataset.open(tmp_path / "nothing")


def test_what_has_no_order_or_no_value_is_refused(clicks, image):
    ids = [f"i{item}" for item in range(ITEMS)]
    with pytest.raises(eq.DataError, match="items: a set has no order"):
        made(clicks, image, items=set(ids))
    with pytest.raises(eq.DataError, match="a set has no order"):
        made(clicks, image, features={"image": (frozenset(ids), image)})
    assert made(clicks, image, items=dict.fromkeys(ids).keys()).items == ids
    with pytest.raises(eq.DataError, match="masked cells"):
        made(clicks, np.ma.masked_array(image, image > image.mean()))
    whole = made(clicks, np.ma.masked_array(image, np.zeros_like(image, bool)))
    np.testing.assert_array_equal(whole.features("image"), image)


def test_cells_without_a_value_are_items_without_a_text(clicks, image):
    texts = [None if item % 3 == 0 else f"word{item % 4} word" for item in range(ITEMS)]
    series = pd.Series(texts, dtype="string")
    given = [texts, [np.nan if text is None else text for text in texts], series, series.astype(object), pl.Series(texts)]
    made_of = [made(clicks, None, features={"text": texts}) for texts in given]
    assert len({data.fingerprint for data in made_of}) == 1
    assert any(f"missing, for which models see the mean of the others: {ITEMS // 3}" in note for note in made_of[0].notes)


def test_sparse_matrices_are_features(clicks, image):
    sparse = pytest.importorskip("scipy.sparse")
    few = np.where(image > image.mean(), image, 0).astype(np.float32)
    np.testing.assert_array_equal(made(clicks, sparse.csr_matrix(few)).features("image"), few)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (lambda c: pl.DataFrame(c).lazy(), r"interactions: LazyFrame.*collect"),
        (lambda c: {**c, "item": c["item"][:-1]}, r"interactions: columns of several lengths \(user \d+, item \d+\)"),
        (lambda c: pd.concat([pd.DataFrame(c), pd.DataFrame(c)[["item"]]], axis=1), "interactions: .*uplicate"),
        (lambda c: {"user": c["user"]}, "^interactions: no column of items among .*name it with item=$"),
        (lambda c: {**c, "user": [None, *c["user"][1:]]}, "^interactions: row 0: the user id is empty"),
    ],
)
def test_faults_of_tables_are_told_by_the_names_of_the_tables(clicks, image, frame, says):
    with pytest.raises(eq.DataError, match=says) as caught:
        made(frame(clicks), image)
    assert "/" not in str(caught.value).replace("and/or", ""), caught.value


def test_faults_of_features_and_settings_name_what_was_given(clicks, image):
    ids = [f"i{item}" for item in range(ITEMS)]
    vectors = dict(zip(ids, image))
    for changed, error, says in [
        ({"features": {}}, eq.DataError, "features: none"),
        ({"features": None}, eq.DataError, "features: NoneType"),
        ({"features": {1: image}}, eq.DataError, "a modality 1"),
        ({"features": {"image": {**vectors, "i2": None}}}, eq.DataError, "'i2': none, expected"),
        ({"features": {"image": {**vectors, "i3": image[3][:2]}}}, eq.DataError, r"'i3': a vector of shape \(2,\)"),
        ({"features": {"image": (["x"] * ITEMS, image)}}, eq.DataError, "^ids of image: row 1"),
        ({"items": None}, eq.DataError, "^image: .*give the id of each row, or the catalogue"),
        ({"modalities": "image"}, eq.DataError, r"modalities: one text.*\['image'\]"),
        ({"split": "ratio", "shares": [0.5, 0.5]}, eq.ConfigError, "^shares: "),
        ({"seed": -1}, eq.ConfigError, "^seed: .*expected a whole number from 0$"),
        ({"min_rating": float("nan")}, eq.ConfigError, "min_rating = nan, expected a finite number"),
        ({"items": {"item": ids, "price": [float("inf")] * ITEMS}}, eq.ConfigError, "items, 'i0', price = inf"),
    ]:
        with pytest.raises(error, match=says):
            made(clicks, image, **changed)


def test_a_column_without_any_value_does_no_harm(clicks, image):
    frame = pl.DataFrame(clicks).with_columns(note=pl.lit(None))
    assert made(frame, image).fingerprint == made(clicks, image).fingerprint


def test_what_is_known_of_items_may_be_of_any_kind(clicks, image):
    import datetime

    ids = [f"i{item}" for item in range(ITEMS)]
    known = pd.DataFrame({"item": ids, "day": datetime.date(2024, 1, 2), "tags": [["a", "b"]] * ITEMS})
    known["size"] = [np.ones(2)] * ITEMS
    assert made(clicks, image, items=known).fingerprint == made(clicks, image).fingerprint


def test_features_are_a_view_of_the_engines_memory(data):
    one, two = data.features("image"), data.features("image")
    assert one.ctypes.data == two.ctypes.data == data._engine.features("image").address
    assert not one.flags.writeable and not one.flags.owndata
    with pytest.raises(eq.DataError, match="modality"):
        data.features("sound")


def test_texts_become_features_that_tell_kinds_apart(data):
    text = data.features("text")
    norms = np.linalg.norm(text, axis=1, keepdims=True)
    likeness = (text / norms) @ (text / norms).T
    same = np.equal.outer(np.arange(ITEMS) % 4, np.arange(ITEMS) % 4)
    assert likeness[same].mean() > likeness[~same].mean() + 0.2


def test_what_a_notebook_shows_is_escaped(clicks, image):
    data = made(clicks, image, features={"<b>": image})
    assert "<b>" not in data._repr_html_().replace("<tr>", "") and "&lt;b&gt;" in data._repr_html_()
    assert repr(data) == f"Dataset({USERS} users, {ITEMS} items, {len(data.train)} + {len(data.validation)} interactions, <b> 8)"
