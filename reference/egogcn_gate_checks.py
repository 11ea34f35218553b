"""What must hold for the gates of EgoGCN's soft modulation."""

import numpy as np

import egogcn
import graphs
from egogcn_checks import ALWAYS, NEVER, SOFT, differ
from graphs import check


def with_gates(parameters, bias):
    """The parameters with every gate at sig(bias), whatever the sender."""
    constant = {}
    for name, values in parameters.items():
        if name.startswith("gate."):
            constant[name] = np.full(values.shape, bias if name.endswith("bias") else 0.0)
    return parameters | constant


def check_gate_limits(inputs, config):
    """Open gates: soft is hard with theta = 0. Shut: x / nM, a scale nrm removes."""
    for silenced in ([], list(inputs.features)[:1]):

        def found(bias, changes, silenced=silenced):
            given = with_gates(inputs.parameters, bias), inputs.features, silenced
            return egogcn.blocks(*given, config | changes)

        plain = {"reattention": False}
        opened, mixed = found(50.0, SOFT), found(50.0, ALWAYS)
        shut, own = found(-50.0, SOFT | plain), found(-50.0, NEVER | plain)
        for name in inputs.features:
            check(opened[name], mixed[name], "open gates")
            check(shut[name], own[name], "shut gates")
            if len(inputs.features) > 1:
                differ(opened[name], shut[name])


def check_gate_owner(inputs, config):
    """The gates of a receiver act on its own channel, one per other modality."""

    def found(parameters):
        return egogcn.blocks(parameters, inputs.features, [], config | SOFT)

    before = found(inputs.parameters)
    gates = [
        name for name in inputs.parameters if name.endswith(".bias") and "gate" in name
    ]
    assert len(gates) == len(inputs.features) * (len(inputs.features) - 1)
    for gate in gates:
        after = found(inputs.parameters | {gate: inputs.parameters[gate] + 1.0})
        _, receiver, other, _ = gate.split(".")
        differ(after[receiver], before[receiver])
        for name in set(before) - {receiver}:
            check(after[name], before[name], f"{gate} and {name}", 0.0)
        table = {m: np.zeros((graphs.NODES, graphs.WIDTH)) for m in inputs.features}
        table[other] = table[other] + 1.0
        moved = egogcn.messages(inputs.parameters, table, receiver, None, config | SOFT)
        weight = inputs.parameters[f"gate.{receiver}.{other}.weight"]
        raised = weight.sum(axis=1) + inputs.parameters[gate][0]
        expected = 1 / (1 + np.exp(-raised)) / len(table)
        check(moved, np.broadcast_to(expected, moved.shape), f"{gate} by hand")


def run(inputs, config):
    """Every check of the gates on one variant."""
    check_gate_limits(inputs, config)
    check_gate_owner(inputs, config)
