"""Checks the rivals' equations and writes golden/*.json of the balancers."""

import numpy as np

import balancer_cases
import balancers
import golden_json
import losses
from checks import close
from fixtures import all_fixtures
from make_golden import FOLDER


def check_blends():
    """No weight negative, sum 1; heads alike or none gaining: equal."""
    for rows in balancer_cases.HEADS.values():
        found = balancers.blend(rows)
        assert np.all(found >= 0)
        close(found.sum(), 1.0)
        if np.ptp(rows, axis=0).max() == 0:
            close(found, 1 / len(rows))
    close(balancers.blend(balancer_cases.HEADS["none_gains"]), 1 / 3)


def check_factors():
    """Two modalities: the printed form, at most one below 1. Equal scores: 1."""
    for scores in balancer_cases.SCORES:
        found = balancers.ogm_factors(scores, 0.3)
        if len(scores) == 2:
            close(found["rho"][0], scores[0] / scores[1])
            assert np.sum(found["k"] < 1) <= 1
        if np.ptp(scores) == 0:
            close(found["k"], 1.0)


def check_steps(fixtures):
    """Equal weights are a multiple of the plain margin; kappa 1 is the plain step."""
    for name in balancer_cases.FIXTURES:
        inputs = fixtures[name]
        given, n = inputs.parameters, len(inputs.features)
        found = balancers.margins(given, inputs)
        plain = balancers.gb_total(given, inputs, [0.0] * n + [1.0], 0.01)
        held = balancers.agm_responses(found)
        close(balancers.agm_total(given, inputs, np.ones(n), held, 0.01), plain)
        close(held.sum(axis=0), found["full"] - found["ids"])
        equal = np.full((n + 1, len(found["full"])), n / (n + 1))
        scaled = losses.bpr(n / (n + 1) * found["full"])
        close(balancers.cohesion_total(given, inputs, equal, 0.0), scaled)
        close(balancers.cml_total(given, inputs, 0.0, 0.01), plain)


def check_pareto():
    """A point of the hull that no loss rises along, of the size of the sum."""
    rng = np.random.default_rng(3)
    for count in (2, 3, 4, 5):
        vectors = rng.normal(0, 1, (count, 7))
        weights, found = balancers.pareto(vectors)
        close(weights.sum(), 1.0)
        assert np.all(weights >= 0)
        assert np.all(vectors @ found > -1e-9)
        close(np.linalg.norm(found), np.linalg.norm(vectors.sum(axis=0)))
    # Two: the printed form of the least point.
    a, b = np.array([2.0, 1.0]), np.array([-1.0, 0.5])
    share = (b - a) @ b / ((a - b) @ (a - b))
    close(balancers.pareto(np.stack([a, b]))[0], [share, 1 - share])


def check_learners():
    """The weakest alone at first, one more at a time, all in the end."""
    assert [balancers.g2d_learners(e, 3, 4) for e in range(1, 7)] == [1, 1, 2, 2, 3, 3]
    assert [balancers.g2d_learners(e, 2, 2) for e in (1, 2, 3)] == [1, 1, 2]
    assert balancers.g2d_learners(1, 3, 0) == 3
    assert list(balancers.g2d_learn([0.6, 0.9, 0.7], 2)) == [True, False, True]


def main():
    """Runs the checks, then writes every file."""
    fixtures = all_fixtures()
    check_blends()
    check_factors()
    check_pareto()
    check_learners()
    check_steps(fixtures)
    for name, content in balancer_cases.CONTENTS.items():
        path = FOLDER / f"{name}.json"
        golden_json.write(path, content(fixtures))
        print(f"wrote {path} ({path.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
