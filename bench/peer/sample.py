"""Triples of a step: (user, train item, other item) and (user, any item, any item).

Users of a batch are distinct while there are enough; a negative is no train item of its user.
`loops` draws one by one in Python, `vectors` draws whole columns at once; both are uniform
over the same sets.
"""

import random

import numpy as np
import torch


class Loops:
    """One draw at a time."""

    def __init__(self, data, seed):
        self.random = random.Random(seed)
        bounds = zip(data.rows, data.rows[1:], strict=False)
        self.lists = [data.columns[a:b].tolist() for a, b in bounds]
        self.pool = [u for u, items in enumerate(self.lists) if items]
        self.items = data.items

    def users(self, count):
        """Distinct users, or with replacement where there are too few."""
        if count <= len(self.pool):
            return self.random.sample(self.pool, count)
        return [self.random.choice(self.pool) for _ in range(count)]

    def ranking(self, count):
        """A batch of (user, positive, negative)."""
        users, positives, negatives = self.users(count), [], []
        for user in users:
            mine = self.lists[user]
            positives.append(self.random.choice(mine))
            other = self.random.randrange(self.items)
            while other in mine:
                other = self.random.randrange(self.items)
            negatives.append(other)
        return [torch.tensor(part) for part in (users, positives, negatives)]

    def generic(self, count):
        """A batch of (user, item, item)."""
        users = self.users(count)
        items = [[self.random.randrange(self.items) for _ in users] for _ in range(2)]
        return [torch.tensor(part) for part in (users, *items)]


class Vectors:
    """Whole columns at a time."""

    def __init__(self, data, seed):
        self.random = np.random.default_rng(seed)
        self.rows, self.columns, self.items = data.rows, data.columns, data.items
        self.pool = np.flatnonzero(np.diff(data.rows))
        users, items = data.pairs()
        self.keys = users * data.items + items

    def users(self, count):
        """Distinct users, or with replacement where there are too few."""
        replace = count > len(self.pool)
        return self.pool[self.random.choice(len(self.pool), count, replace=replace)]

    def ranking(self, count):
        """A batch of (user, positive, negative)."""
        users = self.users(count)
        first, degree = self.rows[users], self.rows[users + 1] - self.rows[users]
        positives = self.columns[first + (self.random.random(count) * degree).astype(np.int64)]
        negatives = self.random.integers(self.items, size=count)
        wrong = np.flatnonzero(self.known(users, negatives))
        while len(wrong):
            negatives[wrong] = self.random.integers(self.items, size=len(wrong))
            wrong = wrong[self.known(users[wrong], negatives[wrong])]
        return [torch.as_tensor(part) for part in (users, positives, negatives)]

    def known(self, users, items):
        """Whether each item is a train item of its user."""
        wanted = users * self.items + items
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return self.keys[place] == wanted

    def generic(self, count):
        """A batch of (user, item, item)."""
        items = self.random.integers(self.items, size=(2, count))
        return [torch.as_tensor(part) for part in (self.users(count), *items)]
