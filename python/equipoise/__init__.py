"""
Trains, diagnoses and serves multimodal recommenders in which every modality pulls its weight.

>>> import equipoise as eq, numpy as np
>>> rng = np.random.default_rng(0)
>>> clicks = {"user": np.repeat(np.arange(40), 5), "item": np.tile(np.arange(50), 4)}
>>> data = eq.Dataset.from_frames(clicks, features={"image": rng.normal(size=(50, 4))}, split="mmrec", quiet=True)
>>> model = eq.train(data, "vbpr", seed=1, settings={"train.epochs": 2}, progress=False)
>>> len(model.recommend(users=["3"], n=2))
2
"""

from ._audit import Audit, Verdict, audit, audit_embeddings
from ._dataset import Dataset
from ._engine import __version__
from ._errors import ConfigError, DataError, Error, MachineError, ModelError
from ._evaluate import Evaluation, evaluate
from ._model import Explanation, Model, Recommendations, load
from ._table import Table
from ._training import train

__all__ = [
    "Audit",
    "ConfigError",
    "DataError",
    "Dataset",
    "Error",
    "Evaluation",
    "Explanation",
    "MachineError",
    "Model",
    "ModelError",
    "Recommendations",
    "Table",
    "Verdict",
    "__version__",
    "audit",
    "audit_embeddings",
    "evaluate",
    "load",
    "train",
]
