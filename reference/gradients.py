"""Gradients of a scalar loss, three independent ways.

* `complex_step`: Im f(x + i h) / h with h = 1e-30. No subtraction, hence no
  cancellation: exact to rounding. The published values come from it.
  (Squire & Trapp, "Using complex variables to estimate derivatives of real
  functions", SIAM Review 40, 1998.)
* `finite_difference`: fourth-order central difference, correct to about 1e-9 here.
* `student`, `teacher`: the chain rule by hand.
"""

import numpy as np

import losses
import objective
import vbpr

COMPLEX_STEP = 1e-30
STEP = 1e-4


def _per_entry(parameters, derivative):
    """Fills an array per parameter with derivative(name, index)."""
    gradients = {}
    for name, values in parameters.items():
        gradient = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            gradient[index] = derivative(name, index)
        gradients[name] = gradient
    return gradients


def complex_step(loss, parameters):
    """d loss / d theta = Im loss(theta + i h) / h for every entry theta."""

    def derivative(name, index):
        moved = parameters[name].astype(complex)
        moved[index] += 1j * COMPLEX_STEP
        return np.imag(loss({**parameters, name: moved})) / COMPLEX_STEP

    return _per_entry(parameters, derivative)


def finite_difference(loss, parameters):
    """( 8 (f(+h) - f(-h)) - (f(+2h) - f(-2h)) ) / (12 h) for every entry."""

    def at(name, index, shift):
        moved = parameters[name].copy()
        moved[index] += shift
        return loss({**parameters, name: moved})

    def derivative(name, index):
        near = at(name, index, STEP) - at(name, index, -STEP)
        far = at(name, index, 2 * STEP) - at(name, index, -2 * STEP)
        return (8 * near - far) / (12 * STEP)

    return _per_entry(parameters, derivative)


def margin_pullback(slopes, users, items, triples):
    """dL/dY, dL/dZ from dL/dDelta_b: Y_u += s (Z_i - Z_j), Z_i += s Y_u, Z_j -= s Y_u."""
    d_users, d_items = np.zeros_like(users), np.zeros_like(items)
    for slope, (u, i, j) in zip(slopes, triples, strict=True):
        d_users[u] += slope * (items[i] - items[j])
        d_items[i] += slope * users[u]
        d_items[j] -= slope * users[u]
    return d_users, d_items


def l2_pullback(users, items, triples, reg):
    """dL_reg/dY, dL_reg/dZ: reg / B times the row, once per occurrence in the batch."""
    d_users, d_items = np.zeros_like(users), np.zeros_like(items)
    for u, i, j in triples:
        d_users[u] += reg / len(triples) * users[u]
        d_items[i] += reg / len(triples) * items[i]
        d_items[j] += reg / len(triples) * items[j]
    return d_users, d_items


def table_pullback(d_users, d_items, features, silenced, width):
    """Parameter gradients from table gradients, block by block.

    X_U, X_I receive their block; W_m receives dZ^T E, b_m the column sum of dZ, with E
    the raw input used; a silenced P^m receives the column mean in every row.
    """
    gradients = {"user.id": d_users[:, :width], "item.id": d_items[:, :width]}
    for block, (name, raw) in enumerate(features.items(), start=1):
        columns = slice(block * width, (block + 1) * width)
        d_preference, d_projected = d_users[:, columns], d_items[:, columns]
        if name in silenced:
            raw, d_preference = vbpr.tiled_mean(raw), vbpr.tiled_mean(d_preference)
        gradients[f"user.{name}"] = d_preference
        gradients[f"weight.{name}"] = np.einsum("io,if->of", d_projected, raw)
        gradients[f"bias.{name}"] = d_projected.sum(axis=0)
    return gradients


def _bpr_and_l2(parameters, inputs, silenced, reg):
    """Hand-derived gradient of L_BPR + L_reg on the pass f(silenced)."""
    users, items = vbpr.forward(parameters, inputs.features, silenced)
    margin = vbpr.margins(users, items, inputs.triples)
    slopes = -losses.sigmoid(-margin) / len(margin)
    pairwise = margin_pullback(slopes, users, items, inputs.triples)
    penalty = l2_pullback(users, items, inputs.triples, reg)
    d_users, d_items = (a + b for a, b in zip(pairwise, penalty, strict=True))
    return table_pullback(d_users, d_items, inputs.features, silenced, inputs.width)


def specific_slope(kind, teacher, student, tau):
    """dh/dDs: hinge -1 below the teacher, else 0; KL (sig(z_s) - p)/tau; MSE 2(Ds - Dt)."""
    if kind == "hinge":
        return np.where(teacher > student, -1.0, 0.0)
    if kind == "mse":
        return 2.0 * (student - teacher)
    return generic_slope(teacher, student, tau)


def generic_slope(teacher, student, tau):
    """dg/dDs = ( sig(z_s) - p ) / tau."""
    return (losses.sigmoid(student / tau) - losses.sigmoid(teacher / tau)) / tau


def teacher(parameters, inputs, kept, reg):
    """Hand-derived gradient of the teacher objective."""
    return _bpr_and_l2(parameters, inputs, vbpr.uni(inputs.features, kept), reg)


def student(parameters, inputs, config, w):
    """Hand-derived gradient of the student objective, weights held."""
    total = _bpr_and_l2(parameters, inputs, [], config["reg"])
    fixed = objective.teacher_margins(inputs)
    for index, name in enumerate(inputs.features):
        part = _channel(parameters, inputs, config, name, w[index], index, fixed)
        total = {key: total[key] + part[key] for key in total}
    return total


def _channel(parameters, inputs, config, name, w, index, fixed):
    """Gradient of lambda_kd mean_b w_b ( h_b + lambda_g L_GD ) of one modality."""
    silenced, tau = vbpr.uni(inputs.features, name), config["tau"]
    users, items = vbpr.forward(parameters, inputs.features, silenced)
    on_batch = vbpr.margins(users, items, inputs.triples)
    on_generic = vbpr.margins(users, items, inputs.generic)
    slope = specific_slope(config["specific"], fixed["batch"][index], on_batch, tau)
    slope = config["lambda_kd"] * w * slope / len(w)
    soft = generic_slope(fixed["generic"][index], on_generic, tau) / len(on_generic)
    soft = config["lambda_kd"] * config["lambda_g"] * w.mean() * soft
    d_batch = margin_pullback(slope, users, items, inputs.triples)
    d_generic = margin_pullback(soft, users, items, inputs.generic)
    d_users, d_items = (a + b for a, b in zip(d_batch, d_generic, strict=True))
    return table_pullback(d_users, d_items, inputs.features, silenced, inputs.width)
