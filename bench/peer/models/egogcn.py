"""EgoGCN (Chen et al., ACM MM 2022), hard modulation with re-attention.

    x^m = [nrm(P) ; nrm(LR(W E + b))],  a = softmax of x_n . x_j
    t_jn = mean over modalities of x_j where a > theta, else x^m_j
    a' = softmax of x_n . t_jn,  h = nrm(sum_j a' t_jn)
    layers times: h <- nrm(h + sum_j softmax(h_n . h_j) h_j)
    C_id = H_0 + S H_0 + S S H_0 + S S S H_0 with S = SYM;  [Y ; Z] = [C_id | h ...]
"""

import torch
import torch.nn.functional as F

from .. import graphs
from ..encoded import Encoded
from .base import Backbone


class EgoGcn(Backbone):
    """See the module."""

    config = {"theta": 0.1, "layers": 1}

    def prepare(self):
        """Edges in both directions and SYM."""
        self.edges = graphs.bipartite(self.data)
        dtype = self.features[0].dtype
        self.sym = graphs.sym(self.data, dtype)
        self.even = (1.0 / self.edges.degree.clamp(min=1).to(dtype))[self.edges.target]

    def parameters(self, generator):
        """Initial values by name."""
        return self.common(generator)

    def nodes(self, preferences, projected):
        """x^m of raw rows."""
        content = self.ops.normalise(F.leaky_relu(projected, 0.01))
        return torch.cat([self.ops.normalise(preferences), content])

    def id_branch(self, p):
        """C_id."""
        total = hop = self.ops.normalise(self.ids(p))
        for _ in range(3):
            hop = self.ops.product(self.sym, hop)
            total = total + hop
        return total

    def propagated(self, rows):
        """Residual attention inside a channel."""
        for _ in range(self.config["layers"]):
            alpha = self.ops.softmax(self.edges, self.ops.dot(self.edges, rows, rows))
            rows = self.ops.normalise(rows + self.ops.weighted(self.edges, alpha, rows))
        return rows

    def per_edge(self, own, mixed):
        """h of a channel, every message written out per edge."""
        edges = self.edges
        alpha = self.ops.softmax(edges, self.ops.dot(edges, own, own))
        chosen = (alpha > self.config["theta"])[:, None]
        sent = torch.where(chosen, mixed[edges.source], own[edges.source])
        again = self.ops.softmax(edges, (own[edges.target] * sent).sum(1))
        summed = own.new_zeros(own.shape).index_add(0, edges.target, again[:, None] * sent)
        return self.propagated(self.ops.normalise(summed))

    def per_node(self, own, mixed, logits, alpha):
        """The same from two tables per node; `logits` and `alpha` of the first attention."""
        edges, chosen = self.edges, alpha > self.config["theta"]
        if mixed is own:
            again = self.ops.softmax(edges, logits)
            summed = self.ops.weighted(edges, again, own)
        else:
            other = self.ops.dot(edges, own, mixed)
            again = self.ops.softmax(edges, torch.where(chosen, other, logits))
            summed = self.ops.weighted(edges, again * chosen, mixed)
            summed = summed + self.ops.weighted(edges, again * ~chosen, own)
        return self.propagated(self.ops.normalise(summed))

    def forward(self, p, silenced):
        """Whole tables of one ablation."""
        table = []
        for m in range(len(self.names)):
            preferences, raw = self.inputs(p, m, silenced)
            table.append(self.nodes(preferences, self.project(p, m, raw)))
        mixed = sum(table) / len(table)
        channels = [self.per_edge(own, mixed) for own in table]
        return self.split(torch.cat([self.id_branch(p), *channels], 1))

    def encode(self, p, ablations, users, items, batch):
        """Ids, node tables and first attentions once; channels per ablation, as all read all."""
        found, n = Encoded(), len(self.names)
        tables, first = {}, {}
        for m in range(n):
            for silent in {m in silenced for silenced in ablations}:
                tables[m, silent], first[m, silent] = self.start(p, m, silent)
        ids = self.split(self.id_branch(p))
        shared = found.add(ids[0][users], ids[1][items])
        for s in ablations:
            own = [tables[m, m in s] for m in range(n)]
            mixed = sum(own) / n if n > 1 else own[0]
            found.of[s] = [shared]
            for m in range(n):
                rows = self.split(self.per_node(own[m], mixed, *first[m, m in s]))
                found.of[s].append(found.add(rows[0][users], rows[1][items]))
        return found

    def start(self, p, m, silent):
        """A node table with its first attention."""
        if not silent:
            content = self.project(p, m, self.features[m])
            rows = self.nodes(p[f"user.{self.names[m]}"], content)
            logits = self.ops.dot(self.edges, rows, rows)
            return rows, (logits, self.ops.softmax(self.edges, logits.detach()))
        one, two = self.nodes(*self.mean_rows(p, m))[:, None]
        rows = torch.cat([one.expand(self.data.users, -1), two.expand(self.data.items, -1)])
        return rows, ((one * two).sum().expand(len(self.even)), self.even)
