"""What backbones share.

`forward(p, silenced)` gives both whole tables of one ablation by substituting inputs, as the
equations say. `encode(p, ablations, users, items, full_batch)` gives rows of several ablations
at once and computes what they share once. Parameters are a dictionary by name.
"""

import torch
import torch.nn.functional as F

from .. import ops
from ..encoded import Encoded

# Above this share of the catalogue, copying the wanted rows costs more than projecting all.
ALL_ROWS = 0.6


def uniform(generator, rows, columns, bound):
    """Values of U(-bound, bound)."""
    return (torch.rand(rows, columns, generator=generator) * 2 - 1) * bound


class Backbone:
    """Data, configuration and the form of its operations."""

    config = {}

    def __init__(self, data, form, width=64, **config):
        self.data, self.width = data, width
        self.form, self.ops = form, ops.Tuned if form == "tuned" else ops.Released
        self.config = type(self).config | config
        self.features, self.names = data.features, data.names
        self.means = [e.mean(0, keepdim=True) for e in self.features]
        self.prepare()

    def prepare(self):
        """Graphs and other constants."""

    def common(self, generator, preferences=True):
        """Id tables, preferences and projections."""
        d, made = self.width, {}
        tables = [("user.id", self.data.users), ("item.id", self.data.items)]
        if preferences:
            tables += [(f"user.{name}", self.data.users) for name in self.names]
        for name, rows in tables:
            made[name] = uniform(generator, rows, d, (6 / (rows + d)) ** 0.5)
        for name, raw in zip(self.names, self.features, strict=True):
            bound = raw.shape[1] ** -0.5
            made[f"weight.{name}"] = uniform(generator, d, raw.shape[1], bound)
            made[f"bias.{name}"] = uniform(generator, 1, d, bound)
        return made

    def linear(self, generator, name, out, fan_in):
        """A linear map's weight and bias."""
        bound = fan_in**-0.5
        weight = uniform(generator, out, fan_in, bound)
        return {f"{name}.weight": weight, f"{name}.bias": uniform(generator, 1, out, bound)}

    def project(self, p, m, raw):
        """pi_m of rows of features."""
        name = self.names[m]
        return F.linear(raw, p[f"weight.{name}"], p[f"bias.{name}"][0])

    def inputs(self, p, m, silenced):
        """Preferences (None where the backbone has none) and features, silenced to their means."""
        raw, preferences = self.features[m], p.get(f"user.{self.names[m]}")
        if m not in silenced:
            return preferences, raw
        if preferences is not None:
            preferences = preferences.mean(0, keepdim=True).expand(self.data.users, -1)
        return preferences, self.means[m].expand(len(raw), -1)

    def mean_rows(self, p, m):
        """The mean preference and the projection of the mean features, one row each."""
        return p[f"user.{self.names[m]}"].mean(0, keepdim=True), self.project(p, m, self.means[m])

    def ids(self, p):
        """Users' then items' ids, N x d."""
        return torch.cat([p["user.id"], p["item.id"]])

    def map(self, p, name, x):
        """The linear map `name` of each row."""
        return F.linear(x, p[f"{name}.weight"], p[f"{name}.bias"][0])

    def split(self, table):
        """User rows and item rows."""
        return table[: self.data.users], table[self.data.users :]

    def one_block(self, tables, nodes, users):
        """An encoding with one block per ablation; `tables` are rows of `nodes`."""
        found = Encoded()
        for silenced, table in tables.items():
            found.of[silenced] = [found.add(table[:users], table[users:])]
        return found

    def extra(self, p, batch):
        """The backbone's own loss on the full pass, None if it has none."""
        return None
