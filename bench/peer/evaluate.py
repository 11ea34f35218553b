"""Recall@20 over all items but the train ones, in two forms with the same result.

`loops` ranks each user's candidates in Python with a heap; `blocks` masks and takes the
largest of a block of users at a time.
"""

import heapq
import time

import numpy as np
import torch

K = 20


def tables(model, p, silenced=frozenset()):
    """Whole tables without a tape."""
    with torch.no_grad():
        return model.forward(p, silenced)


def loops(data, users, items, limit=None):
    """Mean recall and seconds for all users; with `limit`, the time of so many, scaled."""
    start, total = time.perf_counter(), 0.0
    chosen = list(data.validation)[:limit]
    everything = range(data.items)
    for first in range(0, len(chosen), 2048):
        block = chosen[first : first + 2048]
        scores = (users[torch.tensor(block)] @ items.t()).cpu().numpy()
        for user, row in zip(block, scores, strict=True):
            known = set(data.columns[data.rows[user] : data.rows[user + 1]].tolist())
            candidates = [item for item in everything if item not in known]
            rated = {item: row[item] for item in candidates}
            best = heapq.nlargest(K, rated, key=rated.get)
            wanted = set(data.validation[user])
            total += sum(item in wanted for item in best) / len(wanted)
    seconds = time.perf_counter() - start
    return total / len(chosen), seconds * len(data.validation) / len(chosen)


class Blocks:
    """What the masks and hits of all blocks need, made once."""

    def __init__(self, data, block=1024):
        self.data, self.block = data, block
        self.users = np.array(sorted(data.validation))
        counts = [len(data.validation[u]) for u in self.users]
        owners = np.repeat(self.users, counts)
        held = np.concatenate([data.validation[u] for u in self.users])
        self.keys = torch.as_tensor(np.sort(owners * data.items + held))
        self.counts = torch.tensor(counts, dtype=torch.float64)

    def recall(self, users, items):
        """Mean recall over the users with held-out items."""
        turned, data, total = items.t(), self.data, 0.0
        for first in range(0, len(self.users), self.block):
            block = self.users[first : first + self.block]
            at = torch.as_tensor(block)
            scores = users[at] @ turned
            degree = data.rows[block + 1] - data.rows[block]
            starts = np.repeat(data.rows[block] - np.cumsum(degree) + degree, degree)
            known = data.columns[starts + np.arange(degree.sum())]
            row = np.repeat(np.arange(len(block)), degree)
            scores[torch.as_tensor(row), torch.as_tensor(known)] = -torch.inf
            best = scores.topk(K, dim=1).indices
            wanted = at[:, None] * data.items + best
            place = torch.searchsorted(self.keys, wanted).clamp(max=len(self.keys) - 1)
            hits = (self.keys[place] == wanted).sum(1).double()
            total += (hits / self.counts[first : first + self.block]).sum().item()
        return total / len(self.users)
