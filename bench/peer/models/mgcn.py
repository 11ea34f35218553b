"""MGCN (Yu et al., ACM MM 2023): gated items, two views, a fuser, a contrastive loss.

    F = W E + b,  Q = S^m (X_I * sig(F Wg + bg)),  V = R Q,  C_m = [V ; Q]
    C_id = mean of [X_U ; X_I], SYM .., SYM SYM ..
    w = softmax over m of <q, tanh(Wa C_m + ba)>,  C_s = sum_m w C_m
    C_mul = (C_s + sum_m sig(C_id Wp + bp) (C_m - C_s)) / (n + 1),  [Y ; Z] = C_id + C_mul
    extra: lambda_c (InfoNCE(C_mul, C_id) on positives + the same on users), tau
"""

import torch
import torch.nn.functional as F

from .. import graphs
from .base import Backbone, uniform


class Mgcn(Backbone):
    """See the module."""

    config = {
        "neighbours": 10,
        "ui_layers": 2,
        "contrastive": True,
        "lambda_c": 0.01,
        "tau": 0.2,
    }

    def prepare(self):
        """SYM, its users x items block, and the nearest items of each modality."""
        self.sym = graphs.sym(self.data, self.features[0].dtype)
        self.liked = graphs.user_item(self.data, self.sym)
        k = self.config["neighbours"]
        self.similar = [graphs.nearest(raw, k) for raw in self.features]

    def parameters(self, generator):
        """Initial values by name."""
        d, made = self.width, self.common(generator, preferences=False)
        for name in self.names:
            made |= self.linear(generator, f"gate.{name}", d, d)
            made |= self.linear(generator, f"prefer.{name}", d, d)
        made |= self.linear(generator, "attention", d, d)
        return made | {"attention.query": uniform(generator, 1, d, d**-0.5)}

    def behaviour(self, p):
        """C_id."""
        total = hop = self.ids(p)
        for _ in range(self.config["ui_layers"]):
            hop = self.ops.product(self.sym, hop)
            total = total + hop
        return total / (self.config["ui_layers"] + 1)

    def gate(self, p, m, projected):
        """sig(F Wg + bg)."""
        return torch.sigmoid(self.map(p, f"gate.{self.names[m]}", projected))

    def view(self, m, items):
        """C_m from Q_0."""
        rows = self.ops.product(self.similar[m], items)
        return torch.cat([self.ops.product(self.liked, rows), rows])

    def fuse(self, p, channels, behaviour):
        """C_mul."""
        query = p["attention.query"][0]
        logits = [torch.tanh(self.map(p, "attention", c)) @ query for c in channels]
        weights = torch.softmax(torch.stack(logits), 0)
        shared = sum(w[:, None] * c for w, c in zip(weights, channels, strict=True))
        total = shared
        for name, c in zip(self.names, channels, strict=True):
            total = total + torch.sigmoid(self.map(p, f"prefer.{name}", behaviour)) * (c - shared)
        return total / (len(channels) + 1)

    def forward(self, p, silenced):
        """Whole tables of one ablation."""
        behaviour, channels = self.behaviour(p), []
        for m in range(len(self.names)):
            _, raw = self.inputs(p, m, silenced)
            channels.append(self.view(m, p["item.id"] * self.gate(p, m, self.project(p, m, raw))))
        fused = self.fuse(p, channels, behaviour)
        if not silenced:
            self.last = fused, behaviour
        return self.split(behaviour + fused)

    def encode(self, p, ablations, users, items, batch):
        """Channels at most once real and once silenced; the fuser on the wanted rows alone."""
        nodes = torch.cat([users, items + self.data.users])
        behaviour, made, n = self.behaviour(p)[nodes], {}, len(self.names)
        for m in range(n):
            if any(m not in s for s in ablations):
                gate = self.gate(p, m, self.project(p, m, self.features[m]))
                made[m, False] = self.view(m, p["item.id"] * gate)[nodes]
            if any(m in s for s in ablations):
                gate = self.gate(p, m, self.project(p, m, self.means[m]))
                made[m, True] = self.view(m, p["item.id"])[nodes] * gate
        fused = {s: self.fuse(p, [made[m, m in s] for m in range(n)], behaviour) for s in ablations}
        found = self.one_block({s: behaviour + f for s, f in fused.items()}, nodes, len(users))
        if self.config["contrastive"] and frozenset() in fused:
            u, i = batch
            found.extra = self.contrast(fused[frozenset()], behaviour, u, len(users) + i)
        return found

    def extra(self, p, batch):
        """The contrastive loss of the last full `forward`."""
        if not self.config["contrastive"]:
            return None
        return self.contrast(*self.last, batch[0], self.data.users + batch[1])

    def contrast(self, fused, behaviour, users, items):
        """lambda_c times InfoNCE on items and users, rows by position."""
        total = 0.0
        for at in (items, users):
            a, b = self.ops.normalise(fused[at]), self.ops.normalise(behaviour[at])
            logits = a @ b.t() / self.config["tau"]
            total = total + F.cross_entropy(logits, torch.arange(len(at)))
        return self.config["lambda_c"] * total
