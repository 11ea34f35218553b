"""GRCN (Wei et al., ACM MM 2020): attention judges edges, an id branch walks what remains.

    F = nrm(LR(W E + b)), p = nrm(P);  n_route times: p <- nrm(p + sum_i softmax(p.F_i) F_i)
    X = [p ; F],  alpha = softmax over sources of X_n . X_j,  C_m = X + sum_j alpha X_j
    w = max_m alpha^m c^m_j,  H_0 = nrm(ids),  C_id = H_0 + w H_0 + w w H_0
    [Y ; Z] = [C_id | C_m ...]
"""

import torch
import torch.nn.functional as F

from .. import graphs
from ..encoded import Encoded
from ..ops import Edges
from .base import Backbone


class Grcn(Backbone):
    """See the module."""

    config = {"n_route": 3, "layers": 2}

    def prepare(self):
        """Edges in both directions, and those that items speak along."""
        self.edges = graphs.bipartite(self.data)
        users, items = graphs.pairs(self.data)
        self.heard = Edges(users, items, (self.data.users, self.data.items))
        dtype = self.features[0].dtype
        self.even = (1.0 / self.edges.degree.clamp(min=1).to(dtype))[self.edges.target]
        self.connected = (self.edges.degree > 0)[:, None]

    def parameters(self, generator):
        """Initial values by name."""
        made, nodes = self.common(generator), self.data.users + self.data.items
        for name in self.names:
            made[f"confidence.{name}"] = torch.randn(nodes, 1, generator=generator)
            made[f"confidence.{name}"] *= (2 / (nodes + len(self.names))) ** 0.5
        return made

    def content(self, projected):
        """nrm(LR(.))."""
        return self.ops.normalise(F.leaky_relu(projected, 0.01))

    def channel(self, preferences, content):
        """C_m and alpha of a channel with its own rows."""
        p = self.ops.normalise(preferences)
        for _ in range(self.config["n_route"]):
            alpha = self.ops.softmax(self.heard, self.ops.dot(self.heard, p, content))
            p = self.ops.normalise(p + self.ops.weighted(self.heard, alpha, content))
        rows = torch.cat([p, content])
        alpha = self.ops.softmax(self.edges, self.ops.dot(self.edges, rows, rows))
        return rows + self.ops.weighted(self.edges, alpha, rows), alpha

    def alike(self, p, m, users, items):
        """A silenced channel's rows: attention is 1/deg, so they depend on isolation alone."""
        preference, projected = self.mean_rows(p, m)
        start, content = self.ops.normalise(preference), self.content(projected)
        heard = start
        for _ in range(self.config["n_route"]):
            heard = self.ops.normalise(heard + content)
        of_users, of_items = self.split(self.connected)
        users = torch.where(of_users[users], heard + content, start)
        return users, torch.where(of_items[items], content + heard, content)

    def walk(self, p, attentions, ids):
        """C_id under the channels' attentions."""
        weight = None
        for name, alpha in zip(self.names, attentions, strict=True):
            judged = alpha * p[f"confidence.{name}"][:, 0][self.edges.source]
            weight = judged if weight is None else torch.maximum(weight, judged)
        total = hop = ids
        for _ in range(self.config["layers"]):
            hop = self.ops.weighted(self.edges, weight, hop)
            total = total + hop
        return total

    def forward(self, p, silenced):
        """Whole tables of one ablation."""
        found = []
        for m in range(len(self.names)):
            preferences, raw = self.inputs(p, m, silenced)
            found.append(self.channel(preferences, self.content(self.project(p, m, raw))))
        ids = self.walk(p, [alpha for _, alpha in found], self.ops.normalise(self.ids(p)))
        return self.split(torch.cat([ids, *(rows for rows, _ in found)], 1))

    def encode(self, p, ablations, users, items, batch):
        """Channels once, the silenced ones in closed form; one walk per ablation."""
        found, n, start = Encoded(), len(self.names), self.ops.normalise(self.ids(p))
        blocks, alphas = {}, {}
        for m in range(n):
            if any(m not in silenced for silenced in ablations):
                content = self.content(self.project(p, m, self.features[m]))
                rows, alphas[m, False] = self.channel(p[f"user.{self.names[m]}"], content)
                of_users, of_items = self.split(rows)
                blocks[m, False] = found.add(of_users[users], of_items[items])
            if any(m in silenced for silenced in ablations):
                blocks[m, True] = found.add(*self.alike(p, m, users, items))
                alphas[m, True] = self.even
        for s in ablations:
            walked = self.split(self.walk(p, [alphas[m, m in s] for m in range(n)], start))
            own = found.add(walked[0][users], walked[1][items])
            found.of[s] = [own] + [blocks[m, m in s] for m in range(n)]
        return found
