"""Golden cases and checks of DeepStyle."""

import numpy as np

import deepstyle
import gradients
import graphs
import losses
import vbpr

# Category 3 has one item.
SHARED = [0, 1, 0, 2, 2, 1, 0, 3, 2]
ONE, PER_ITEM = [0] * graphs.ITEMS, list(range(graphs.ITEMS))

# name, modalities, variant, ablate_category, category of each item
CASES = [
    ("split_m1", 1, "split", True, SHARED),
    ("split_m2", 2, "split", True, SHARED),
    ("split_m2_category_kept", 2, "split", False, SHARED),
    ("split_m2_one_category", 2, "split", True, ONE),
    ("split_m3_category_kept", 3, "split", False, PER_ITEM),
    ("tied_m1_category_kept", 1, "tied", False, SHARED),
    ("tied_m2", 2, "tied", True, SHARED),
    ("tied_m3_category_kept", 3, "tied", False, SHARED),
    ("tied_m3_per_item", 3, "tied", True, PER_ITEM),
]


def user_rows(given, name, variant):
    """The user table that meets modality `name`: P^m if split, p if tied."""
    return given[f"user.{name}"] if variant == "split" else given["user.id"]


def parts(inputs, categories, variant):
    """Per triple: D_id, and per modality D_m and the residual R_m of a kept category.

    D_id = x_u.(x_i - x_j),  D_m = q_u.( W_m (e_i - e_j) - (c_g(i) - c_g(j)) ) and
    R_m = - q.(c_g(i) - c_g(j)), with q_u = p_u^m and q = mean_u(p_u^m) if split, q_u = q =
    p_u if tied.
    """
    given, (u, i, j) = inputs.parameters, inputs.triples.T
    shared = np.sum(given["user.id"][u] * (given["item.id"][i] - given["item.id"][j]), 1)
    audible, residual = {}, {}
    for name, raw in inputs.features.items():
        own = user_rows(given, name, variant)
        left = own if variant == "tied" else np.tile(own.mean(axis=0), (len(own), 1))
        rows = given[f"category.{name}"][categories]
        projected = raw @ given[f"weight.{name}"].T
        gap = rows[i] - rows[j]
        audible[name] = np.sum(own[u] * (projected[i] - projected[j] - gap), axis=1)
        residual[name] = -np.sum(left[u] * gap, axis=1)
    return shared, audible, residual


def check_additive(inputs, result, categories):
    """Delta_S = D_id + sum of D_m over the audible m, plus R_m of the silenced m if the
    category is kept; so loo(m) = full - D_m exactly when it is ablated.
    """
    config = result["config"]
    shared, audible, residual = parts(inputs, categories, config["variant"])
    for entry in result["ablations"]:
        expected = shared.copy()
        for name in inputs.features:
            if name not in entry["silenced"]:
                expected += audible[name]
            elif not config["ablate_category"]:
                expected += residual[name]
        graphs.check(entry["margins"], expected, f"margins of {entry['name']}")


def check_silenced_gradients(inputs, encode, config):
    """A pairwise loss of uni(m) has zero gradient at W_k and b_k, k != m; at c_k too if
    the category is ablated, and at P^k then as well.
    """
    for kept in inputs.features:
        silenced = vbpr.uni(list(inputs.features), kept)

        def loss(parameters, silenced=silenced):
            tables = encode(parameters, silenced)
            return losses.bpr(vbpr.margins(*tables, inputs.triples))

        found = gradients.complex_step(loss, inputs.parameters)
        kinds = ["weight", "bias"]
        kinds += ["category", "user"] if config["ablate_category"] else []
        for name in silenced:
            for key in (f"{kind}.{name}" for kind in kinds):
                gradient = found.get(key, np.zeros(1))
                graphs.check(gradient, np.zeros(gradient.shape), key, 1e-15)


def check_one_category(inputs, encode, variant):
    """With a single category the category cancels: the margins of VBPR remain, with one
    user table for everything if tied.
    """
    given = dict(inputs.parameters)
    for name in inputs.features:
        given[f"user.{name}"] = user_rows(given, name, variant)
        given.setdefault(f"bias.{name}", np.zeros((1, graphs.WIDTH)))
    expected = vbpr.margins(*vbpr.forward(given, inputs.features), inputs.triples)
    found = vbpr.margins(*encode(inputs.parameters, ()), inputs.triples)
    graphs.check(found, expected, "one category")


def check_categories_move_margins(result):
    """Every row receives a gradient, unless all items share one category."""
    several = len(set(result["categories"])) > 1
    for key, gradient in result["gradients"].items():
        if key.startswith("category."):
            for row, values in enumerate(gradient):
                moved = bool(np.any(np.abs(values) > 1e-15))
                assert moved == several, f"{key} row {row}"


def shapes(count, variant, categories):
    """Parameter shapes of a case: one row of c^m per category that occurs."""
    names = list(graphs.MODALITIES)[:count]
    split = variant == "split"
    wanted = graphs.ids() | graphs.projections(names, preferences=split, bias=split)
    rows = max(categories) + 1
    return wanted | {f"category.{name}": (rows, graphs.WIDTH) for name in names}


def build(seed, name, count, variant, ablate_category, categories):
    """One checked case. With `min_count` 1 no category joins another."""
    inputs = graphs.draw(seed, count, shapes(count, variant, categories))
    config = {
        "variant": variant,
        "categories": "per_item" if categories == PER_ITEM else "data",
        "min_count": 1,
        "ablate_category": ablate_category,
    }

    def encode(parameters, silenced, categories=categories):
        return deepstyle.forward(
            parameters, inputs.features, categories, silenced, variant, ablate_category
        )

    fields = {"categories": categories}
    result = graphs.case(name, config, inputs, encode, fields=fields)
    check_additive(inputs, result, categories)
    check_silenced_gradients(inputs, encode, config)
    check_categories_move_margins(result)
    check_one_category(inputs, lambda p, s: encode(p, s, ONE), variant)
    return result


def content():
    """golden/deepstyle.json."""
    return {"cases": [build(seed, *case) for seed, case in enumerate(CASES)]}
