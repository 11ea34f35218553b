"""VBPR (He & McAuley, AAAI 2016), one projected block per modality.

    y(u, i) = x_u . x_i + sum_m p_u^m . (W_m e_i^m + b_m)

Scores are sums over blocks, so every ablation's margins are sums of the same block margins.
"""

import torch
import torch.nn.functional as F

from ..encoded import Encoded
from .base import ALL_ROWS, Backbone


class Vbpr(Backbone):
    """See the module."""

    def parameters(self, generator):
        """Initial values by name."""
        return self.common(generator)

    def forward(self, p, silenced):
        """Whole tables of one ablation."""
        users, items = [p["user.id"]], [p["item.id"]]
        for m in range(len(self.names)):
            preferences, raw = self.inputs(p, m, silenced)
            users.append(preferences)
            items.append(self.project(p, m, raw))
        return torch.cat(users, 1), torch.cat(items, 1)

    def encode(self, p, ablations, users, items, batch):
        """Rows of several ablations from one pass."""
        found, n = Encoded(), len(self.names)
        ids = found.add(F.embedding(users, p["user.id"]), F.embedding(items, p["item.id"]))
        real = {}
        for m in range(n):
            if all(m in silenced for silenced in ablations):
                found.constants.append(self.mean_rows(p, m))
                continue
            preferences = F.embedding(users, p[f"user.{self.names[m]}"])
            real[m] = found.add(preferences, self.rows(p, m, items))
        for silenced in ablations:
            found.of[silenced] = [ids] + [real[m] for m in range(n) if m not in silenced]
        return found

    def rows(self, p, m, items):
        """Projections of some items."""
        if len(items) > ALL_ROWS * self.data.items:
            return self.project(p, m, self.features[m])[items]
        return self.project(p, m, self.features[m][items])
