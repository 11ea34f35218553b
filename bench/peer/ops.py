"""Sparse products and neighbourhood softmax, each in two forms with the same values.

A graph has edges j -> n with target n and source j. `Released` sends messages along edges by
gather and scatter and multiplies by COO matrices; `Tuned` works on compressed rows sorted by
target, with its own backward passes: a sum over sources is a CSR product, a dot product along
edges a sampled dense product, and the gradient of either is one of the two.
"""

import torch
import torch.nn.functional as F


class Edges:
    """Edges sorted by target, with everything that either form reads."""

    def __init__(self, target, source, shape, values=None):
        order = torch.argsort(target * shape[1] + source)
        self.target, self.source, self.shape = target[order], source[order], shape
        self.values = None if values is None else values[order]
        self.degree = torch.bincount(self.target, minlength=shape[0])
        self.rows = F.pad(self.degree.cumsum(0), (1, 0))
        self.turn = torch.argsort(self.source * shape[0] + self.target)
        self.columns_t = self.target[self.turn]
        self.rows_t = F.pad(torch.bincount(self.source, minlength=shape[1]).cumsum(0), (1, 0))
        self._constant = {}

    def csr(self, values):
        """The matrix with these values, targets x sources."""
        return torch.sparse_csr_tensor(self.rows, self.source, values, self.shape)

    def csr_t(self, values):
        """Its transpose."""
        turned = values[self.turn]
        return torch.sparse_csr_tensor(self.rows_t, self.columns_t, turned, self.shape[::-1])

    def constant(self, kind):
        """The constant matrix as `coo`, `csr` or `csr_t`, made once."""
        if kind not in self._constant:
            if kind == "coo":
                at = torch.stack([self.target, self.source])
                made = torch.sparse_coo_tensor(at, self.values, self.shape).coalesce()
            else:
                made = self.csr(self.values) if kind == "csr" else self.csr_t(self.values)
            self._constant[kind] = made
        return self._constant[kind]


class ConstantProduct(torch.autograd.Function):
    """A x with a constant A."""

    @staticmethod
    def forward(ctx, edges, x):
        ctx.edges = edges
        return edges.constant("csr") @ x

    @staticmethod
    def backward(ctx, g):
        return None, ctx.edges.constant("csr_t") @ g.contiguous()


def sampled(edges, left, right):
    """<left_n, right_j> of every edge."""
    zeros = left.new_zeros(len(edges.source))
    return torch.sparse.sampled_addmm(edges.csr(zeros), left, right.t(), beta=0).values()


class WeightedSum(torch.autograd.Function):
    """sum_j w_jn x_j."""

    @staticmethod
    def forward(ctx, edges, weights, x):
        ctx.edges = edges
        ctx.save_for_backward(weights, x)
        return edges.csr(weights) @ x

    @staticmethod
    def backward(ctx, g):
        weights, x = ctx.saved_tensors
        g = g.contiguous()
        of_weights = sampled(ctx.edges, g, x) if ctx.needs_input_grad[1] else None
        return None, of_weights, ctx.edges.csr_t(weights) @ g if ctx.needs_input_grad[2] else None


class EdgeDot(torch.autograd.Function):
    """<x_n, y_j> of every edge."""

    @staticmethod
    def forward(ctx, edges, x, y):
        ctx.edges = edges
        ctx.save_for_backward(x, y)
        return sampled(edges, x, y)

    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return None, ctx.edges.csr(g) @ y, ctx.edges.csr_t(g) @ x


class Softmax(torch.autograd.Function):
    """exp(l_jn) / sum_k exp(l_kn); logits of unit rows are at most 1, so none overflows."""

    @staticmethod
    def forward(ctx, edges, logits):
        raised = logits.exp()
        total = torch.segment_reduce(raised, "sum", offsets=edges.rows)
        attention = raised / total[edges.target]
        ctx.edges = edges
        ctx.save_for_backward(attention)
        return attention

    @staticmethod
    def backward(ctx, g):
        (attention,) = ctx.saved_tensors
        part = g * attention
        total = torch.segment_reduce(part, "sum", offsets=ctx.edges.rows)
        return None, part - attention * total[ctx.edges.target]


class Normalise(torch.autograd.Function):
    """x / |x| of every row; a zero row stays zero and has no gradient."""

    @staticmethod
    def forward(ctx, x):
        norm = torch.linalg.vector_norm(x, dim=1, keepdim=True)
        scale = torch.where(norm > 1e-12, norm.reciprocal(), 0)
        unit = x * scale
        ctx.save_for_backward(unit, scale)
        return unit

    @staticmethod
    def backward(ctx, g):
        unit, scale = ctx.saved_tensors
        return (g - unit * (g * unit).sum(1, keepdim=True)) * scale


class Tuned:
    """Compressed rows, own backward passes."""

    product = staticmethod(ConstantProduct.apply)
    weighted = staticmethod(WeightedSum.apply)
    dot = staticmethod(EdgeDot.apply)
    softmax = staticmethod(Softmax.apply)
    normalise = staticmethod(Normalise.apply)


class Released:
    """COO products, gather and scatter."""

    normalise = staticmethod(lambda x: F.normalize(x, dim=1))

    @staticmethod
    def product(edges, x):
        """A x with a constant A."""
        return torch.sparse.mm(edges.constant("coo"), x)

    @staticmethod
    def weighted(edges, weights, x):
        """sum_j w_jn x_j."""
        zeros = x.new_zeros(edges.shape[0], x.shape[1])
        return zeros.index_add(0, edges.target, weights[:, None] * x[edges.source])

    @staticmethod
    def dot(edges, x, y):
        """<x_n, y_j> of every edge."""
        return (x[edges.target] * y[edges.source]).sum(1)

    @staticmethod
    def softmax(edges, logits):
        """exp(l - max) / (sum exp + 1e-16) over the edges of each target."""
        low = logits.new_full((edges.shape[0],), -torch.inf)
        highest = low.scatter_reduce(0, edges.target, logits.detach(), "amax")
        raised = (logits - highest[edges.target]).exp()
        total = logits.new_zeros(edges.shape[0]).index_add(0, edges.target, raised)
        return raised / (total[edges.target] + 1e-16)
