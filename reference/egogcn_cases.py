"""Content of golden/egogcn.json."""

import egogcn
import egogcn_checks
import egogcn_gate_checks
import graphs
import input_penalty

DEFAULT = {
    "modulation": "hard",
    "theta": 0.4,
    "reattention": True,
    "id_layers": "intended",
    "pref_norm": "differentiable",
    "layers": 1,
}
SOFT = {"modulation": "soft", "theta": None}

# name -> number of modalities, changes to the default
VARIANTS = {
    "m2_hard": (2, {}),
    "m2_hard_plain": (2, {"theta": 0.2, "reattention": False, "layers": 2}),
    "m2_hard_never": (2, {"theta": 1.0, "id_layers": "released"}),
    "m2_hard_project": (2, {"pref_norm": "project"}),
    "m2_soft": (2, SOFT | {"layers": 2}),
    "m2_soft_plain": (2, SOFT | {"reattention": False, "id_layers": "released"}),
    "m2_soft_project": (2, SOFT | {"pref_norm": "project"}),
    "m1_hard": (1, {}),
    "m1_soft": (1, SOFT | {"layers": 3, "id_layers": "released"}),
    "m3_hard": (3, {"theta": 0.25}),
    "m3_soft": (3, SOFT | {"layers": 3, "id_layers": "released"}),
}

# case with the published penalty -> the same case without it, weight
PENALISED = {"m2_hard_reg": ("m2_hard", 0.125)}


def inputs_of(count, config):
    """The first draw away from every kink of this variant, unit rows under "project"."""

    def prepared(parameters):
        project = config["pref_norm"] == "project"
        return egogcn.projected(parameters) if project else parameters

    def forward(found):
        encode = egogcn.encoder(found.features, config)
        return lambda parameters, silenced: encode(prepared(parameters), silenced)

    shapes = egogcn.shapes(list(graphs.MODALITIES)[:count])
    found = graphs.find(count, shapes, forward)
    return graphs.Inputs(found.features, prepared(found.parameters), found.triples)


def penalised(name, plain, reg):
    """The case `plain` with the published penalty as the backbone's own loss."""
    count, changes = VARIANTS[plain["name"]]
    config = DEFAULT | changes
    inputs = inputs_of(count, config)

    def extra(parameters):
        return input_penalty.penalty(
            parameters, inputs.triples, list(inputs.features), reg
        )

    encode = egogcn.encoder(inputs.features, config)
    found = graphs.case(name, config | {"reg_inputs": reg}, inputs, encode, extra)
    input_penalty.check_gradient(inputs, found, plain, reg)
    return found


def content():
    """Checks every variant, then describes it."""
    cases = []
    for name, (count, changes) in VARIANTS.items():
        config = DEFAULT | changes
        inputs = inputs_of(count, config)
        egogcn_checks.run(inputs, config)
        egogcn_gate_checks.run(inputs, config)
        encode = egogcn.encoder(inputs.features, config)
        cases.append(graphs.case(name, config, inputs, encode))
        print(f"checked egogcn {name}", flush=True)
    by_name = {case["name"]: case for case in cases}
    for name, (plain, reg) in PENALISED.items():
        cases.append(penalised(name, by_name[plain], reg))
    return {"cases": cases}
