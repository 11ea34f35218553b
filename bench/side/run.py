"""Ours and theirs by turns: `python -m side.run --program BINARY [--quick] [--only steps,...]`.

Each measurement is a process; the two programs alternate (A B A B), so that a slow hour of the
machine hits both, and the times of all turns are pooled before the median is taken. What was
measured goes to `--results` as JSON lines as soon as it is there; a measurement that is in the
file already is not made again. `--write` puts the tables into BENCHMARKS.md.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from . import growth, tables

ROOT = Path(__file__).resolve().parents[2]
FORMS = ("released", "tuned")
KINDS = {"vbpr": ("plain", "teacher", "ckd")}
PARTS = ("steps", "job", "floors", "growth")


class Results:
    """Measurements by key, kept in a file."""

    def __init__(self, path):
        self.path, self.found = Path(path), {}
        if self.path.exists():
            for line in self.path.read_text().splitlines():
                entry = json.loads(line)
                self.found[tuple(entry["key"])] = entry["lines"]

    def measure(self, key, command, env=None):
        """The JSON lines that a command prints, from the file if they are there."""
        key = tuple(map(str, key))
        if key not in self.found:
            print("  " + " ".join(key), file=sys.stderr, flush=True)
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env)
            lines = [json.loads(t) for t in done.stdout.splitlines() if t.startswith("{")]
            self.found[key] = lines
            with self.path.open("a") as out:
                out.write(json.dumps({"key": key, "lines": lines}) + "\n")
        return self.found[key]


class Bench:
    """The programs, the data and how much to measure."""

    def __init__(self, given):
        self.given, self.program, self.root = given, given.program, ROOT
        self.results, self.data = Results(given.results), Path(given.data)
        self.rounds = 1 if given.quick else given.rounds
        self.counts = (1, 3, 1) if given.quick else (3, 10, 2)
        self.backbones = given.backbones.split(",")
        self.scales = ["baby"] if given.quick else given.scales.split(",")

    def dataset(self, size, *widths):
        """A generated data set, written once."""
        path = self.data / (size if widths == ("4096", "1024") else f"{size}-{'-'.join(widths)}")
        if not (path / "5-core" / "test.json").exists():
            subprocess.run([self.program, "generate", path, size, *widths], check=True)
        return path

    def steps(self):
        """Steps and evaluations of every backbone, ours and both forms in turn."""
        for scale in self.scales:
            data = self.dataset(scale, "4096", "1024")
            for turn in range(self.rounds):
                for backbone in self.backbones:
                    for kind in KINDS.get(backbone, ("plain", "ckd")):
                        self.turn(scale, data, turn, backbone, kind)

    def turn(self, scale, data, turn, backbone, kind):
        """One turn of one step: ours, as released, tuned."""
        warm, steps, evaluations = self.counts
        evaluations = evaluations if kind == "plain" and backbone == "vbpr" else 0
        key = ("steps", scale, turn, backbone, kind)
        counts = [str(n) for n in (warm, steps, evaluations)]
        self.results.measure((*key, "ours"), [self.program, "steps", data, backbone, kind, *counts])
        for form in FORMS:
            command = [sys.executable, "-m", "peer.steps", data, backbone, kind, form]
            command += ["--warm", counts[0], "--steps", counts[1], "--evaluations", counts[2]]
            self.results.measure((*key, form), command)

    def job(self):
        """Two teachers and the student; the released form for two epochs a model, to be scaled."""
        data = Path(self.given.job_data) if self.given.job_data else self.dataset("baby", "4096", "1024")
        short = ["--epochs", "1"] if self.given.quick else []
        with tempfile.TemporaryDirectory() as out:
            if not self.given.quick:
                key = ("job", data.name, 0, "ours")
                self.results.measure(key, [self.program, "job", data, Path(out) / "run"])
        peer = [sys.executable, "-m", "peer.job", data]
        self.results.measure(("job", data.name, 0, "tuned"), [*peer, "tuned", *short])
        self.results.measure(("job", data.name, 0, "released"), [*peer, "released", "--epochs", "1"])

    def floors(self):
        """The operations of a step, ours alone."""
        self.results.measure(("floors",), [self.program, "floors"])

    def growth(self):
        """Ours at growing sizes."""
        growth.measure(self)


def main():
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--quick", action="store_true", help="a smoke run: one turn, few steps")
    parser.add_argument("--only", default=",".join(PARTS), help="what to measure")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scales", default="baby,sports")
    parser.add_argument("--backbones", default="vbpr,mmgcn,grcn,egogcn,mgcn")
    parser.add_argument("--data", default="/tmp/equipoise-bench", help="where generated data goes")
    parser.add_argument("--job-data", help="data set of the whole job; generated if absent")
    parser.add_argument("--results", default="bench-results.jsonl.tmp")
    parser.add_argument("--write", action="store_true", help="put the tables into BENCHMARKS.md")
    given = parser.parse_args()
    wrong = set(given.only.split(",")) - set(PARTS)
    if wrong:
        sys.exit(f"--only: expected some of {', '.join(PARTS)}, found {', '.join(wrong)}")
    bench = Bench(given)
    bench.data.mkdir(parents=True, exist_ok=True)
    for part in given.only.split(","):
        getattr(bench, part)()
    made = tables.sections(bench.results.found)
    for name, text in made.items():
        print(f"\n### {name}\n\n{text}")
    if given.write:
        tables.write(ROOT / "BENCHMARKS.md", made)


if __name__ == "__main__":
    main()
