"""Frozen teachers."""

from __future__ import annotations

import torch
from torch import Tensor

from ._losses import margins


class Teacher:
    """
    A frozen uni-modal model, read as constant margins.

    Parameters
    ----------
    users, items : Tensor
        Its final tables: users x width and items x width. They are detached and copied; the width may differ from the student's.
    """

    def __init__(self, users: Tensor, items: Tensor) -> None:
        self.users, self.items = users.detach().clone(), items.detach().clone()

    def margins(self, triples: Tensor) -> Tensor:
        """Its margins of these triples."""
        with torch.no_grad():
            return margins(self.users, self.items, triples)
