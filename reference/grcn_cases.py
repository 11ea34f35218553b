"""Content of golden/grcn.json."""

import graphs
import grcn
import grcn_checks
import input_penalty

DEFAULT = {
    "routing": "paper",
    "n_route": 3,
    "weight_mode": "confid",
    "prune": False,
    "fusion": "concat",
    "layers": 2,
}

# name -> number of modalities, changes to the default
VARIANTS = {
    "m2_default": (2, {}),
    "m2_released": (2, {"routing": "released"}),
    "m2_prune": (2, {"prune": True, "n_route": 1}),
    "m2_max": (2, {"weight_mode": "max", "n_route": 2}),
    "m2_mean": (2, {"weight_mode": "mean", "layers": 3}),
    "m2_fusion_mean": (2, {"fusion": "mean", "prune": True}),
    "m1_default": (1, {"n_route": 1}),
    "m1_prune_released": (1, {"prune": True, "routing": "released", "layers": 1}),
    "m1_max": (1, {"weight_mode": "max", "fusion": "mean"}),
    "m3_default": (3, {"n_route": 2}),
    "m3_prune": (3, {"prune": True, "routing": "released", "fusion": "mean"}),
    "m3_max": (3, {"weight_mode": "max", "fusion": "id", "layers": 3}),
    "m3_mean": (3, {"weight_mode": "mean", "fusion": "mean", "layers": 1}),
}

# case with the published penalty -> the same case without it, weight
PENALISED = {"m2_default_reg": ("m2_default", 0.125)}


def inputs_of(count, config):
    """The first draw away from every kink of this variant."""
    shapes = grcn.shapes(list(graphs.MODALITIES)[:count])
    return graphs.find(count, shapes, lambda found: grcn.encoder(found.features, config))


def penalised(name, plain, reg):
    """The case `plain` with the published penalty as the backbone's own loss."""
    count, changes = VARIANTS[plain["name"]]
    config = DEFAULT | changes
    inputs = inputs_of(count, config)

    def extra(parameters):
        return input_penalty.penalty(
            parameters, inputs.triples, list(inputs.features), reg
        )

    encode = grcn.encoder(inputs.features, config)
    found = graphs.case(name, config | {"reg_inputs": reg}, inputs, encode, extra)
    input_penalty.check_gradient(inputs, found, plain, reg)
    return found


def content():
    """Checks every variant, then describes it."""
    cases = []
    for name, (count, changes) in VARIANTS.items():
        config = DEFAULT | changes
        inputs = inputs_of(count, config)
        grcn_checks.run(inputs, config)
        encode = grcn.encoder(inputs.features, config)
        cases.append(graphs.case(name, config, inputs, encode))
        print(f"checked grcn {name}", flush=True)
    by_name = {case["name"]: case for case in cases}
    for name, (plain, reg) in PENALISED.items():
        cases.append(penalised(name, by_name[plain], reg))
    return {"cases": cases}
