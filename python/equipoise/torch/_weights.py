"""Counterfactual weights: how much each modality is taught in a step (Eq. 15-18, guarded)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from .._errors import ConfigError
from torch import Tensor

R_MIN, R_MAX, EPS = 1e-8, 10.0, 1e-6

_CHOICES = {
    "weights": ("paper", "released", "uniform"),
    "sum": ("one", "modalities", "printed"),
    "level": ("batch", "triple"),
    "denominator": ("teacher", "student"),
    "guard": ("floored", "raw"),
    "shape": ("complement", "inverse"),
    "specific": ("hinge", "kl", "mse"),
    "generic_log": ("exact", "released"),
}


def check_choice(name: str, value: str) -> None:
    """Refuse a word that is none of the choices."""
    if value not in _CHOICES[name]:
        raise ConfigError(f"{name} = {value!r:.100}, expected {', '.join(_CHOICES[name])}")


@dataclass
class StepWeights:
    """The weights of a step, without gradients. Tensors hold one row per modality, in the order of the teachers."""

    weight: Tensor
    """``lambda_m``, or the mean of the weights of triples."""
    per_triple: Tensor | None
    """Weights of triples, modalities x triples, where they are taken so."""
    rho: Tensor | None
    """The guarded ratio, or its mean over triples; robust weights have none."""
    effect: Tensor | None
    """``gamma_m``, the mean treatment effect; robust weights have none."""
    teacher_margin: Tensor
    """The mean margin of each teacher; of its content alone under robust weights."""


class Weigher:
    """
    Weights of each step from its margins; keeps the averages that smoothing needs.

    Parameters
    ----------
    weights, sum, level, denominator, guard, shape, smooth
        The switches of :class:`CKD`; what is ``None`` follows from ``weights``.
    """

    def __init__(
        self,
        weights: str = "paper",
        *,
        sum: str | None = None,
        level: str | None = None,
        denominator: str | None = None,
        guard: str | None = None,
        shape: str = "complement",
        smooth: float = 0.0,
    ) -> None:
        released = weights == "released"
        self.uniform = weights == "uniform"
        self.sum = sum or ("modalities" if released else "one")
        self.level = level or ("triple" if released else "batch")
        self.denominator = denominator or ("student" if released else "teacher")
        self.guard = guard or ("raw" if released else "floored")
        self.shape, self.smooth = shape, smooth
        self._averages: Tensor | None = None
        switches = {"weights": weights, "sum": self.sum, "level": self.level, "denominator": self.denominator}
        for name, value in {**switches, "guard": self.guard, "shape": shape}.items():
            check_choice(name, value)
        if not 0 <= smooth < 1:
            raise ConfigError(f"smooth = {smooth}, expected 0 or more and less than 1")

    def weigh(self, full: Tensor, only: Tensor, without: Tensor, teacher: Tensor) -> StepWeights:
        """
        Parameters
        ----------
        full : Tensor
            Margins of the whole model, one per triple.
        only, without, teacher : Tensor
            Modalities x triples: margins of each channel, without each modality, and of each teacher.
        """
        full, only, without, teacher = (t.detach().double() for t in (full, only, without, teacher))
        delta = full - without
        below = teacher if self.denominator == "teacher" else only
        if self.level == "batch":
            now = torch.stack([delta.mean(dim=1), below.mean(dim=1)])
            effect, reference = self._smoothed(now)
        else:
            effect, reference = delta, below
        ratio = self._ratio(effect, reference)
        failed = self.guard == "floored" and self.denominator == "teacher"
        taught = reference > 0 if failed else torch.ones_like(reference, dtype=torch.bool)
        weight = self._shared_out(ratio, taught)
        per_triple = None if self.level == "batch" else weight
        if self.uniform:
            n = len(teacher)
            weight, per_triple = torch.full((n,), self._total(n) / n, dtype=torch.float64), None
        return StepWeights(
            weight=weight if weight.ndim == 1 else weight.mean(dim=1),
            per_triple=per_triple,
            rho=ratio if ratio.ndim == 1 else ratio.mean(dim=1),
            effect=delta.mean(dim=1),
            teacher_margin=teacher.mean(dim=1),
        )

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"averages": self._averages}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._averages = state["averages"]

    def _smoothed(self, now: Tensor) -> Tensor:
        if self.smooth and self._averages is not None:
            now = self.smooth * self._averages + (1 - self.smooth) * now
        self._averages = now
        return now

    def _ratio(self, effect: Tensor, reference: Tensor) -> Tensor:
        below = reference.clamp(min=EPS) if self.guard == "floored" else reference
        return torch.nan_to_num(effect / below, nan=R_MIN, posinf=R_MAX, neginf=R_MIN).clamp(R_MIN, R_MAX)

    def _total(self, taught: Any) -> Any:
        if self.sum == "one":
            return 1.0
        return taught if self.sum == "modalities" else (taught - 1 if isinstance(taught, int) else (taught - 1).clamp(min=0))

    def _shared_out(self, ratio: Tensor, taught: Tensor) -> Tensor:
        """The configured sum, shared out among the modalities that are taught."""
        count = taught.sum(dim=0)
        kept = torch.where(taught, ratio if self.shape == "complement" else 1 / ratio, torch.zeros_like(ratio))
        total = kept.sum(dim=0)
        share = kept / torch.where(total > 0, total, torch.ones_like(total))
        if self.shape == "complement":
            share = torch.where(count == 1, torch.ones_like(share), (1 - share) / (count - 1).clamp(min=1))
        return torch.where(taught, share, torch.zeros_like(share)) * self._total(count)
