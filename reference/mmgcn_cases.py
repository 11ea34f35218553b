"""Golden cases of MMGCN."""

import graphs
import mmgcn
import mmgcn_checks as checks

# name, modalities, normalisation, combination, layers, train_preferences
CASES = [
    ("rw_plus_elementwise_l2_m1", 1, "rw_plus", "elementwise", 2, True),
    ("rw_plus_elementwise_l3_m2", 2, "rw_plus", "elementwise", 3, True),
    ("rw_plus_elementwise_l2_m2_fixed", 2, "rw_plus", "elementwise", 2, False),
    ("rw_concat_l3_m1", 1, "rw", "concat", 3, True),
    ("rw_elementwise_l2_m2", 2, "rw", "elementwise", 2, True),
    ("sym_concat_l2_m2", 2, "sym", "concat", 2, True),
    ("rw_plus_concat_l2_m3_fixed", 3, "rw_plus", "concat", 2, False),
    ("rw_plus_elementwise_l3_m3", 3, "rw_plus", "elementwise", 3, True),
]


def shapes(count, combination, layers):
    """Parameter shapes of a case."""
    names, d = list(graphs.MODALITIES)[:count], graphs.WIDTH
    wanted = graphs.ids() | graphs.projections(names)
    for name in names:
        for layer in range(1, layers + 1):
            for kind in ("conv", "self", "combine"):
                wide = kind == "combine" and combination == "concat"
                wanted[f"{kind}.{name}.{layer}.weight"] = (d, 2 * d if wide else d)
                wanted[f"{kind}.{name}.{layer}.bias"] = (1, d)
    return wanted


def build(name, count, normalisation, combination, layers, train_preferences):
    """One checked case."""
    config = {
        "normalisation": normalisation,
        "combination": combination,
        "layers": layers,
        "train_preferences": train_preferences,
    }

    def encoder(inputs):
        return lambda given, s: mmgcn.forward(given, inputs.features, s, config)

    inputs = graphs.find(count, shapes(count, combination, layers), encoder)
    frozen = () if train_preferences else [f"user.{m}" for m in inputs.features]
    result = graphs.case(name, config, inputs, encoder(inputs), frozen=frozen)
    checks.check_layers(inputs, config)
    checks.check_cached_channels(inputs, result)
    checks.check_scores(inputs, result)
    checks.check_ablated_first_layer(inputs, config)
    checks.check_relabelled(inputs, result)
    if normalisation == "rw_plus":
        checks.check_bias_outside(inputs, config)
    return result


def content():
    """golden/mmgcn.json."""
    checks.check_operators()
    return {"cases": [build(*case) for case in CASES]}
