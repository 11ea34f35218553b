"""Writes golden/<backbone>.json: `python -B reference/make_backbones.py <backbone>...`.

The content comes from `content()` of the module `<backbone>_cases`, which runs that
backbone's checks before it returns. Without arguments, every such module next to this
file that belongs to a backbone is run.
"""

import importlib
import sys
from pathlib import Path

import golden_json

HERE = Path(__file__).resolve().parent
OTHERS = {"adam", "ckd", "metric", "weight"}


def known():
    """Every backbone with a `<backbone>_cases.py`, in alphabetical order."""
    names = {path.stem.removesuffix("_cases") for path in HERE.glob("*_cases.py")}
    return sorted(names - OTHERS)


def main(names):
    """Writes one file per named backbone."""
    (HERE / "golden").mkdir(exist_ok=True)
    for name in names or known():
        content = importlib.import_module(f"{name}_cases").content()
        path = HERE / "golden" / f"{name}.json"
        golden_json.write(path, content)
        print(f"wrote {path} ({path.stat().st_size} bytes)")


if __name__ == "__main__":
    main(sys.argv[1:])
