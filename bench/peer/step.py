"""One optimisation step, in two forms with the same loss.

`Released`: Python draws the triples, one whole forward pass per ablation, the default Adam.
`Tuned`: triples drawn by the column, one shared pass over the distinct rows, fused Adam.
"""

import torch

from . import ckd, sample


class Step:
    """A model in training. `teachers` are pairs of tables; `primary` is the silenced set."""

    def __init__(self, model, parameters, primary, teachers=(), seed=1, lr=5e-4, batch=1024, generic=5000):
        self.model, self.primary, self.teachers = model, primary, teachers
        self.p = {name: value.requires_grad_() for name, value in parameters.items()}
        self.tuned = model.form == "tuned"
        self.settings = ckd.Settings()
        self.batch, self.generic = batch, generic if teachers else 0
        self.sampler = (sample.Vectors if self.tuned else sample.Loops)(model.data, seed)
        fused = {"fused": True} if self.tuned else {}
        self.adam = torch.optim.Adam(self.p.values(), lr=lr, **fused)

    def per_epoch(self):
        """Steps in an epoch."""
        return len(self.model.data.columns) // self.batch + 1

    def step(self):
        """Samples, differentiates and updates; gives the loss."""
        ranking = self.sampler.ranking(self.batch)
        generic = self.sampler.generic(self.generic) if self.generic else None
        self.adam.zero_grad()
        loss = (self.shared if self.tuned else self.separate)(ranking, generic)
        loss.backward()
        self.adam.step()
        return loss.item()

    def ablations(self):
        """Each once, the model's own first."""
        wanted = ckd.wanted(len(self.model.names)) if self.teachers else []
        return [self.primary] + [s for s in wanted if s != self.primary]

    def separate(self, ranking, generic):
        """The loss from whole tables, one pass per ablation."""
        tables = {s: self.model.forward(self.p, s) for s in self.ablations()}
        extra = self.model.extra(self.p, ranking) if not self.primary else None
        return self.loss(lambda s, u, i, j: margins(*tables[s], u, i, j), tables, extra, ranking, generic)

    def loss(self, margin, tables, extra, ranking, generic):
        """Ranking and penalty on whole tables, then distillation on both kinds of triples."""
        u, i, j = ranking
        users, items = tables[self.primary]
        penalty = sum(t.square().sum() for t in (users[u], items[i], items[j]))
        total = ckd.ranking(margin(self.primary, u, i, j))
        total = total + self.settings.reg / (2 * len(u)) * penalty
        if extra is not None:
            total = total + extra
        if not self.teachers:
            return total
        parts = [torch.cat(pair) for pair in zip(ranking, generic, strict=True)] if generic else ranking
        taught = [margins(*teacher, *parts) for teacher in self.teachers]
        return total + ckd.distillation(lambda s: margin(s, *parts), taught, len(u), self.settings)

    def shared(self, ranking, generic):
        """The loss from the distinct rows of the step, one pass for all ablations."""
        count = len(ranking[0])
        triples = [torch.cat(p) for p in zip(ranking, generic, strict=True)] if generic else ranking
        users, u = distinct(triples[0], self.model.data.users)
        items, both = distinct(torch.cat(triples[1:]), self.model.data.items)
        i, j = both.chunk(2)
        found = self.model.encode(self.p, self.ablations(), users, items, (u[:count], i[:count]))
        found.gather(u, i, j)
        total = ckd.ranking(found.margins(self.primary)[:count])
        norm = found.square_norm(self.primary, count)
        total = total + self.settings.reg / (2 * count) * norm
        if found.extra is not None:
            total = total + found.extra
        if not self.teachers:
            return total
        taught = [margins(*teacher, *triples) for teacher in self.teachers]
        return total + ckd.distillation(found.margins, taught, count, self.settings)


def distinct(rows, total):
    """The distinct rows, ascending, and where each given one stands among them."""
    seen = torch.zeros(total, dtype=torch.bool)
    seen[rows] = True
    place = seen.cumsum(0) - 1
    return seen.nonzero()[:, 0], place[rows]


def margins(users, items, u, i, j):
    """<Y_u, Z_i - Z_j>."""
    return (users[u] * (items[i] - items[j])).sum(1)
