"""What a pass gives: tables per ablation, as blocks whose margins add up.

A block is a user table and an item table; `score(u, i) = sum over blocks <y_u, z_i>`. A
constant block has one row for all users and one for all items: it cancels in every margin
and counts in the penalty.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F


@dataclass
class Encoded:
    """Blocks, and the positions of those that make up each ablation (a set of silenced modalities)."""

    blocks: list = field(default_factory=list)
    constants: list = field(default_factory=list)
    of: dict = field(default_factory=dict)
    extra: torch.Tensor | None = None

    def add(self, users, items):
        """A block's position."""
        self.blocks.append((users, items))
        return len(self.blocks) - 1

    def gather(self, users, first, second):
        """Every block's rows at the triples, gathered once."""
        self.rows = [
            tuple(F.embedding(at, table) for at, table in ((users, y), (first, z), (second, z)))
            for y, z in self.blocks
        ]
        self.parts = [(y * (i - j)).sum(1) for y, i, j in self.rows]

    def margins(self, silenced):
        """Delta of every gathered triple under an ablation."""
        return sum(self.parts[block] for block in self.of[silenced])

    def square_norm(self, silenced, count):
        """|Y_u|^2 + |Z_i|^2 + |Z_j|^2 summed over the first `count` triples."""
        rows = [r[:count] for block in self.of[silenced] for r in self.rows[block]]
        constant = [count * (y.square().sum() + 2 * z.square().sum()) for y, z in self.constants]
        return sum([r.square().sum() for r in rows] + constant)
