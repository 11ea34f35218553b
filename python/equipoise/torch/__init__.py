"""
Counterfactual knowledge distillation for backbones in PyTorch.

A backbone is any callable ``backbone(ablation) -> (users, items)`` that gives its tables with the named modalities silenced;
:func:`mean_ablated` makes the inputs of it. :func:`train_teachers` trains the teachers, :class:`CKD` gives the loss::

    teachers = train_teachers(make, data)
    ckd = CKD(teachers, lambda_kd=0.01)
    margins = ckd.margins(backbone, triples, ckd.draw_generic(data.n_users, data.n_items))
    loss = bpr(margins.full) + ckd.loss(margins).loss
    loss.backward()

:func:`fit` is a whole training loop. :class:`Robust` teaches the sum of all teachers (robust weights). PyTorch is imported here and nowhere else in the package.
"""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError("equipoise.torch needs PyTorch: pip install torch, or equipoise[torch]") from error

from ._ablations import FULL, Ablation, ids_only, mean_ablated, only, without
from ._ckd import CKD, Backbone, StepMargins, Taught
from ._fit import Fitted, Triples, fit, measured, train_teachers, validated
from ._losses import bpr, cross_entropy, hinge, kl, margins, penalty, squared
from ._robust import AllTeachers, Robust, RobustMargins, Stack, train_all_teachers
from ._teacher import Teacher
from ._weights import StepWeights, Weigher

__all__ = [
    "CKD",
    "FULL",
    "Ablation",
    "AllTeachers",
    "Backbone",
    "Fitted",
    "Robust",
    "RobustMargins",
    "Stack",
    "StepMargins",
    "StepWeights",
    "Taught",
    "Teacher",
    "Triples",
    "Weigher",
    "bpr",
    "cross_entropy",
    "fit",
    "hinge",
    "ids_only",
    "kl",
    "margins",
    "mean_ablated",
    "only",
    "penalty",
    "squared",
    "measured",
    "train_all_teachers",
    "train_teachers",
    "validated",
    "without",
]
