"""Ours at growing numbers of users, items and interactions, and a drawing of it.

Users = items = n, 20 interactions per user, one modality of 512 columns in float16, mapped into memory.
"""

import math
import subprocess
import sys

SIZES = (10_000, 100_000, 1_000_000)
BACKBONES = ("vbpr", "lightgcn", "grcn")
# What a measurement may take of memory and time.
MEMORY_GIB, SECONDS = 24, 1800


def measure(bench):
    """Every size and backbone, in processes that may not outgrow the limits."""
    sizes = SIZES[:1] if bench.given.quick else SIZES
    for n in sizes:
        data = own(bench, bench.dataset(f"{n}x{n}x{20 * n}", "512:f16"))
        for backbone in BACKBONES:
            limit = f"ulimit -v {MEMORY_GIB << 20}; exec timeout {SECONDS} \"$@\""
            steps = [bench.program, "steps", str(data), backbone, "plain", "1", "5", "0"]
            try:
                bench.results.measure(("growth", n, backbone), ["bash", "-c", limit, "growth", *steps])
            except subprocess.CalledProcessError as error:
                print(f"growth: {backbone} at {n}: {error}", file=sys.stderr)
                bench.results.found["growth", str(n), backbone] = []
    drawing = drawn(bench.results.found)
    if bench.given.write:
        (bench.root / "docs" / "pictures" / "growth.svg").write_text(drawing)


def own(bench, data):
    """The data in the layout whose features are mapped, written once."""
    path = data.with_name(data.name + "-own")
    if not path.exists():
        subprocess.run([bench.program, "own", data, path], check=True)
    return path


def points(found, of):
    """Per backbone (size, value), sizes ascending."""
    lines = {}
    for key, measured in found.items():
        if key[0] == "growth" and measured:
            lines.setdefault(key[2], []).append((int(key[1]), of(measured[0])))
    return {backbone: sorted(values) for backbone, values in lines.items()}


def drawn(found):
    """Steps' seconds and peak memory over size, logarithmic, as SVG."""
    median = lambda line: sorted(line["steps"])[len(line["steps"]) // 2]  # noqa: E731
    charts = [
        ("seconds per step", points(found, median)),
        ("peak memory, GiB", points(found, lambda line: line["peak_mib"][1] / 1024)),
    ]
    parts = [chart(title, lines, 20 + 360 * k) for k, (title, lines) in enumerate(charts)]
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="740" height="290" font-family="sans-serif" font-size="12">'
    return head + '<rect width="740" height="290" fill="#ffffff"/>' + "".join(parts) + "</svg>\n"


COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


def chart(title, lines, left):
    """One chart of 300 x 200 with its top left corner at (left + 40, 40)."""
    values = [v for line in lines.values() for _, v in line]
    sizes = [s for line in lines.values() for s, _ in line]
    if not values:
        return ""
    low, high = (f(math.log10(v) for v in values) for f in (min, max))
    low, high = math.floor(low), max(math.ceil(high), math.floor(low) + 1)
    first, last = math.log10(min(sizes)), max(math.log10(max(sizes)), math.log10(min(sizes)) + 1)
    x = lambda s: left + 40 + 270 * (math.log10(s) - first) / (last - first)  # noqa: E731
    y = lambda v: 240 - 200 * (math.log10(v) - low) / (high - low)  # noqa: E731
    made = [f'<text x="{left + 40}" y="24" font-weight="bold">{title}</text>']
    for power in range(low, high + 1):
        at = y(10**power)
        made.append(f'<line x1="{left + 40}" x2="{left + 310}" y1="{at:.1f}" y2="{at:.1f}" stroke="#dddddd"/>')
        made.append(f'<text x="{left + 34}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    for size in sorted(set(sizes)):
        made.append(f'<text x="{x(size):.1f}" y="258" text-anchor="middle">{size:,}</text>')
    made.append(f'<text x="{left + 175}" y="278" text-anchor="middle">users = items</text>')
    for colour, (backbone, line) in zip(COLOURS, lines.items(), strict=False):
        path = " ".join(f"{x(s):.1f},{y(v):.1f}" for s, v in line)
        made.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        s, v = line[-1]
        made.append(f'<text x="{x(s) + 4:.1f}" y="{y(v) - 4:.1f}" fill="{colour}">{backbone}</text>')
    return "".join(made)
