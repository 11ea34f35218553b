"""Writes golden/significance.json: paired tests as SciPy computes them.

    pip install numpy scipy
    python reference/significance.py

Holm's correction is written out here, SciPy having none.
"""

import json
import pathlib

import numpy as np
import scipy
from scipy import stats


def holm(p):
    p = np.asarray(p)
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1, np.arange(len(p), 0, -1) * p[order])
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted.tolist()


def case(name, a, b):
    t = stats.ttest_rel(a, b)
    x = a - b
    magnitudes = np.abs(x)
    plain = np.all(x != 0) and len(np.unique(magnitudes)) == len(x) and len(x) <= 50
    w = stats.wilcoxon(
        a, b, zero_method="wilcox", correction=not plain, method="exact" if plain else "asymptotic"
    )
    return {
        "name": name,
        "a": a.tolist(),
        "b": b.tolist(),
        "t": {"statistic": t.statistic, "df": float(t.df), "p_value": t.pvalue},
        "wilcoxon": {
            "method": "exact" if plain else "normal",
            "statistic": w.statistic,
            "p_value": w.pvalue,
        },
    }


def cases():
    rng = np.random.default_rng(7)
    # Five and ten seeds of two close models.
    for n, shift in [(5, 0.004), (10, 0.001), (50, 0.0005)]:
        b = rng.normal(0.09, 0.002, n)
        yield case(f"{n} seeds", b + rng.normal(shift, 0.002, n), b)
    # Recall of users with one or two held-out items: most pairs equal, the rest tied.
    for n, gain in [(60, 0.1), (400, 0.05), (2000, 0.01)]:
        g = rng.integers(1, 3, n)
        b = rng.binomial(g, 0.1) / g
        a = np.where(rng.random(n) < gain, rng.binomial(g, 0.6) / g, b)
        yield case(f"recall of {n} users", a, b)
    # No ties, but too many pairs to count out.
    b = rng.random(120)
    yield case("120 untied pairs", b + rng.normal(0.02, 0.1, 120), b)
    # A difference far in the tail.
    b = rng.random(300)
    yield case("300 pairs far apart", b + rng.normal(1.0, 0.2, 300), b)


def main():
    p = [[0.01, 0.04, 0.03, 0.005], [0.2], [0.5, 0.5, 0.001, 0.9, 0.02, 0.001]]
    golden = {
        "scipy": scipy.__version__,
        "numpy": np.__version__,
        "paired": list(cases()),
        "holm": [{"p_values": v, "adjusted": holm(v)} for v in p],
    }
    path = pathlib.Path(__file__).parent / "golden" / "significance.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
