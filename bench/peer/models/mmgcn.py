"""MMGCN (Wei et al., ACM MM 2019): a graph channel per modality over shared id embeddings.

    H_0 = nrm([P ; W E + b])          H = LR(A (H_(l-1) Wc + bc))
    Xh = LR(H_(l-1) Ws + bs) + ID     H_l = LR(H Wg + bg + Xh)       [Y ; Z] = mean_m H_L
"""

import torch
import torch.nn.functional as F

from .. import graphs
from .base import Backbone


class Mmgcn(Backbone):
    """See the module."""

    config = {"layers": 3}

    def prepare(self):
        """RW+, and its product with the sides' indicators for rows alike on each side."""
        self.graph = graphs.rw_plus(self.data, self.features[0].dtype)
        sides = torch.zeros(self.graph.shape[0], 2, dtype=self.features[0].dtype)
        sides[: self.data.users, 0] = 1
        sides[self.data.users :, 1] = 1
        self.sides, self.side_sums = sides, self.graph.constant("csr") @ sides

    def parameters(self, generator):
        """Initial values by name."""
        made = self.common(generator)
        for m in self.names:
            for layer in range(1, self.config["layers"] + 1):
                for kind in ("conv", "self", "combine"):
                    name = f"{kind}.{m}.{layer}"
                    made |= self.linear(generator, name, self.width, self.width)
        return made

    def channel(self, p, m, rows, ids, nodes=None):
        """C_m from H_0; of `nodes` only, if given. Two rows stand for alike sides."""
        name, last = self.names[m], self.config["layers"]
        for layer in range(1, last + 1):
            key = f"{name}.{layer}"
            heard = self.map(p, f"conv.{key}", rows)
            own = F.leaky_relu(self.map(p, f"self.{key}", rows), 0.01)
            if len(rows) == 2 < len(ids):
                heard, own = self.side_sums @ heard, self.sides @ own
            else:
                heard = self.ops.product(self.graph, heard)
            if layer == last and nodes is not None:
                heard, own, ids = heard[nodes], own[nodes], ids[nodes]
            heard = F.leaky_relu(heard, 0.01)
            rows = F.leaky_relu(self.map(p, f"combine.{key}", heard) + own + ids, 0.01)
        return rows

    def forward(self, p, silenced):
        """Whole tables of one ablation."""
        ids, total = self.ids(p), 0.0
        for m in range(len(self.names)):
            preferences, raw = self.inputs(p, m, silenced)
            start = torch.cat([preferences, self.project(p, m, raw)])
            total = total + self.channel(p, m, self.ops.normalise(start), ids)
        return self.split(total / len(self.names))

    def encode(self, p, ablations, users, items, batch):
        """Every channel at most once real and once silenced; ablations are means of choices."""
        ids, n = self.ids(p), len(self.names)
        nodes = torch.cat([users, items + self.data.users])
        made = {}
        for m in range(n):
            for silent in {m in silenced for silenced in ablations}:
                if silent:
                    start = torch.cat(self.mean_rows(p, m))
                else:
                    content = self.project(p, m, self.features[m])
                    start = torch.cat([p[f"user.{self.names[m]}"], content])
                made[m, silent] = self.channel(p, m, self.ops.normalise(start), ids, nodes)
        mean = lambda s: sum(made[m, m in s] for m in range(n)) / n  # noqa: E731
        return self.one_block({s: mean(s) for s in ablations}, nodes, len(users))
