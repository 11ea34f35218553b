"""Real interactions beside features as wide as the published ones.

`python -m side.widen DATA OUT 4096 1024` copies a data set of the LATTICE layout and multiplies each feature matrix, in the
order of their names, by a fixed random map to that many columns: what the features say is kept, what they cost is that
of raw ones.
"""

import shutil
import sys
from pathlib import Path

import numpy as np


def main():
    """See the module."""
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    data, out, widths = Path(sys.argv[1]), Path(sys.argv[2]), [int(w) for w in sys.argv[3:]]
    files = sorted(data.glob("*_feat.npy"))
    if len(files) != len(widths):
        sys.exit(f"{data}: {len(files)} feature files, {len(widths)} widths; give one width per file")
    shutil.copytree(data / "5-core", out / "5-core", dirs_exist_ok=True)
    for seed, (file, width) in enumerate(zip(files, widths, strict=True)):
        features = np.load(file).astype(np.float32)
        columns = features.shape[1]
        turn = np.random.default_rng(seed).standard_normal((columns, width)).astype(np.float32)
        np.save(out / file.name, features @ turn / np.float32(np.sqrt(columns)))


if __name__ == "__main__":
    main()
