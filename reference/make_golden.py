"""Checks the reference and writes golden/{vbpr,ckd,weights,robust,adam,metrics}.json."""

from pathlib import Path

import adam_cases
import checks
import ckd_cases
import golden_json
import metric_cases
import robust_cases
import weight_cases
from fixtures import all_fixtures

FOLDER = Path(__file__).resolve().parent / "golden"


def main():
    """Runs the checks, then writes every file."""
    inputs = all_fixtures()
    checks.run(inputs)
    contents = {
        "vbpr": ckd_cases.vbpr_content(inputs),
        "ckd": ckd_cases.ckd_content(inputs),
        "weights": weight_cases.content(),
        "robust": robust_cases.content(),
        "adam": adam_cases.content(inputs),
        "metrics": metric_cases.content(),
    }
    FOLDER.mkdir(exist_ok=True)
    for name, content in contents.items():
        path = FOLDER / f"{name}.json"
        golden_json.write(path, content)
        print(f"wrote {path} ({path.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
