"""Exceptions of the package."""

from __future__ import annotations


class Error(Exception):
    """Anything that went wrong in Equipoise. The message says where, what was expected and what to do."""


class DataError(Error, ValueError):
    """Data that cannot be used: a table, features, embeddings."""


class ConfigError(Error, ValueError):
    """A setting or a request that cannot be used."""


class ModelError(Error, ValueError):
    """A model or a run that cannot do what was asked, or an id that it does not know."""


class MachineError(Error, OSError):
    """The machine failed: a full disk, a file that may not be read, threads that are not granted. The same may succeed later."""
