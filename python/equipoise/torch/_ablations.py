"""Which modalities are silenced, and what takes the place of their inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from .._errors import ConfigError

Ablation = frozenset[str]
"""The names of the silenced modalities. ``FULL`` silences none."""

FULL: Ablation = frozenset()


def only(modality: str, modalities: Sequence[str]) -> Ablation:
    """The channel of a modality: every other one is silenced."""
    if modality not in modalities:
        raise ConfigError(f"modality {modality!r}, expected one of {', '.join(modalities)}")
    return frozenset(modalities) - {modality}


def without(modality: str) -> Ablation:
    """Everything but one modality."""
    return frozenset([modality])


def ids_only(modalities: Sequence[str]) -> Ablation:
    """Every modality is silenced: what is left are the ids."""
    return frozenset(modalities)


def mean_ablated(tables: Mapping[str, torch.Tensor], ablation: Ablation) -> dict[str, torch.Tensor]:
    """
    Inputs of modalities with those of the silenced ones replaced by their means over all rows.

    The replacement is made of the *raw* inputs (features of items, preferences of users), before any projection, activation or
    normalisation. Gradients flow through the means.

    Parameters
    ----------
    tables : mapping of str to Tensor
        For each modality one row per item, or one per user.
    ablation : frozenset of str
        The silenced modalities.

    Returns
    -------
    dict of str to Tensor
        Of the same shapes.
    """
    return {
        name: table.mean(dim=0, keepdim=True).expand_as(table) if name in ablation else table for name, table in tables.items()
    }
