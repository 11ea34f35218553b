"""Ours through Vulkan, PyTorch through CUDA, ours on the processor: `python -m gpu.measure --program BINARY [--write]`.

Each measurement is a process, and the programs alternate. What fails is named in the table, and the others go on; when the time is
used up, what is missing is left out and said. `--write` puts the table into BENCHMARKS.md.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from peer.models import BACKBONES
from side import tables

ROOT = Path(__file__).resolve().parents[2]
# Backbones that the peer lacks are measured alone.
ALONE = ("deepstyle", "freedom", "bm3", "bprmf", "lightgcn")
WITHOUT_CONTENT = ("bprmf", "lightgcn")


class Machine:
    """Where each program runs."""

    def __init__(self, dry):
        self.vulkan, self.torch = ("vulkan:cpu", "cpu") if dry else ("vulkan", "cuda")
        self.names = ("Vulkan's processor driver", "processor") if dry else ("Vulkan", "CUDA")
        if not dry and not torch.cuda.is_available():
            sys.exit("bench/gpu/run: PyTorch sees no CUDA card; --dry-run tries the script without one")

    def words(self):
        """The machine, for the table."""
        card = "no card (a dry run)" if self.torch == "cpu" else torch.cuda.get_device_name()
        models = [t.split(":")[1].strip() for t in Path("/proc/cpuinfo").read_text().splitlines() if t.startswith("model name")]
        processor = models[0] if models else platform.processor()
        return f"{card}; {len(os.sched_getaffinity(0))} cores of {processor}; PyTorch {torch.__version__}"


class Bench:
    """The programs, the data, and the time that is left."""

    def __init__(self, given):
        self.program, self.machine = given.program, Machine(given.dry_run)
        self.end = time.monotonic() + 60 * given.minutes
        self.counts = ["1", "2"] if given.dry_run else ["5", "30"]
        size = ["300x200x3000", "64", "32"] if given.dry_run else ["baby", "4096", "1024"]
        self.data = Path(given.data) / "-".join(size)
        if not (self.data / "5-core" / "test.json").exists():
            self.data.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([self.program, "generate", self.data, *size], check=True)

    def measured(self, command, **environment):
        """The JSON line that a command prints, or a note."""
        left = self.end - time.monotonic()
        if left < 5:
            return {"note": "no time left"}
        try:
            env = {**os.environ, **environment}
            done = subprocess.run(command, capture_output=True, text=True, timeout=left, check=True, env=env)
        except subprocess.TimeoutExpired:
            return {"note": "no time left"}
        except subprocess.CalledProcessError as failed:
            print(failed.stderr, file=sys.stderr)
            return {"note": "failed"}
        return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))

    def ours(self, device, backbone, kind, evaluations):
        """Our step on a device."""
        counts = [*self.counts, evaluations]
        return self.measured([self.program, "steps", self.data, backbone, kind, *counts], EQUIPOISE_DEVICE=device)

    def theirs(self, backbone, kind, evaluations):
        """The tuned step of PyTorch on the card."""
        if backbone not in BACKBONES:
            return {"note": ""}
        command = [sys.executable, "-m", "peer.steps", self.data, backbone, kind, "tuned", "--device", self.machine.torch]
        warm, steps = self.counts
        return self.measured([*command, "--warm", warm, "--steps", steps, "--evaluations", evaluations])

    def row(self, backbone, kind):
        """The three programs, one after the other."""
        evaluations = "2" if (backbone, kind) == ("vbpr", "plain") else "0"
        print(f"  {backbone} {kind}", file=sys.stderr, flush=True)
        return {
            "vulkan": self.ours(self.machine.vulkan, backbone, kind, evaluations),
            "torch": self.theirs(backbone, kind, evaluations),
            "processor": self.ours("cpu", backbone, kind, evaluations),
        }


def cell(line, field):
    """The median of a field in milliseconds, or why there is none."""
    values = line.get(field)
    return f"{1e3 * statistics.median(values):.1f}" if values else line.get("note", "")


def ratio(rows, field):
    """How many times as long PyTorch takes."""
    ours, theirs = (rows[who].get(field) for who in ("vulkan", "torch"))
    return f"{statistics.median(theirs) / statistics.median(ours):.2f}" if ours and theirs else ""


def told(bench, found):
    """The table, with the machine above it."""
    vulkan, cuda = bench.machine.names
    head = ["", "step", f"ours, {vulkan}, ms", f"PyTorch, {cuda}, ms", "PyTorch over ours", "ours, processor, ms"]
    lines = []
    for (backbone, kind), of in found.items():
        times = {who: cell(line, "steps") for who, line in of.items()}
        lines.append([backbone, kind, times["vulkan"], times["torch"], ratio(of, "steps"), times["processor"]])
    ranking = found["vbpr", "plain"]
    times = {who: cell(line, "evaluations") for who, line in ranking.items()}
    lines.append(["vbpr", "full ranking", times["vulkan"], times["torch"], ratio(ranking, "evaluations"), times["processor"]])
    return f"{bench.machine.words()}.\n\n{tables.table(head, lines)}"


def main():
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--dry-run", action="store_true", help="small data and no card; nothing is written")
    parser.add_argument("--minutes", type=float, default=10, help="most minutes")
    parser.add_argument("--data", default="/tmp/equipoise-bench", help="where generated data goes")
    parser.add_argument("--write", action="store_true", help="put the table into BENCHMARKS.md")
    given = parser.parse_args()
    bench = Bench(given)
    chosen = [(name, kind) for name in (*BACKBONES, *ALONE) for kind in ("plain", "ckd") if kind == "plain" or name not in WITHOUT_CONTENT]
    found = {}
    for backbone, kind in chosen:
        found[backbone, kind] = bench.row(backbone, kind)
    text = told(bench, found)
    print(f"\n{text}")
    if given.write and not given.dry_run:
        tables.write(ROOT / "BENCHMARKS.md", {"gpu": text})
    failed = [f"{b} {k}" for (b, k), of in found.items() if any(line.get("note") == "failed" for line in of.values())]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
