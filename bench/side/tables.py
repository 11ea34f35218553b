"""Markdown tables of what was measured, and where they go: between markers in BENCHMARKS.md."""

import statistics
import sys

# Wanted times over the released form, and over the tuned one.
TARGETS = {
    ("vbpr", "teacher"): (6, 2),
    ("vbpr", "ckd"): (10, 2.5),
    ("mmgcn", "plain"): (5, 2),
    ("mmgcn", "ckd"): (8, 2.5),
    ("grcn", "plain"): (10, 3),
    ("grcn", "ckd"): (12, 3),
    ("egogcn", "plain"): (10, 3),
    ("egogcn", "ckd"): (12, 3),
    ("mgcn", "plain"): (5, 2),
    ("mgcn", "ckd"): (6, 2),
}
WHO = ("ours", "released", "tuned")


def table(head, rows):
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def pooled(found, prefix, field):
    """Values of a field over all turns, by (scale, backbone, kind, who)."""
    values = {}
    for key, lines in found.items():
        if key[0] != prefix:
            continue
        _, scale, _, backbone, kind, who = key
        for line in lines:
            value = line.get(field, [])
            values.setdefault((scale, backbone, kind, who), []).extend(value)
    return {key: v for key, v in values.items() if v}


def wanted(ratio, target):
    """A ratio beside its target."""
    if target is None:
        return f"{ratio:.1f}"
    return f"{ratio:.1f} (target {target:g}{'' if ratio >= target else ', missed'})"


def steps(found):
    """Milliseconds per step, and times over."""
    times, rows = pooled(found, "steps", "steps"), []
    for scale, backbone, kind in dict.fromkeys(key[:3] for key in times):
        of = [times.get((scale, backbone, kind, who)) for who in WHO]
        if not all(of):
            continue
        ours, released, tuned = map(statistics.median, of)
        targets = TARGETS.get((backbone, kind), (None, None))
        ratios = [wanted(t / ours, x) for t, x in zip((released, tuned), targets, strict=True)]
        millis = [f"{1e3 * t:.0f}" for t in (ours, released, tuned)]
        rows.append([scale, backbone, kind, *millis, *ratios])
    head = ["scale", "backbone", "step", "ours, ms", "as released, ms", "tuned, ms"]
    return table([*head, "over as released", "over tuned"], rows)


def processor(found):
    """Processor seconds per step, all threads together: what a loaded machine distorts least."""
    used = {}
    for key, lines in found.items():
        if key[0] == "steps" and "processor" in lines[0]:
            _, scale, _, backbone, kind, who = key
            used.setdefault((scale, backbone, kind), {}).setdefault(who, []).append(lines[0]["processor"])
    rows = []
    for key, of in used.items():
        if all(who in of for who in WHO):
            ours, released, tuned = (statistics.median(of[who]) for who in WHO)
            millis = [f"{1e3 * t:.0f}" for t in (ours, released, tuned)]
            rows.append([*key, *millis, f"{released / ours:.1f}", f"{tuned / ours:.1f}"])
    head = ["scale", "backbone", "step", "ours, ms", "as released, ms", "tuned, ms"]
    return table([*head, "over as released", "over tuned"], rows)


def evaluations(found):
    """Seconds of a full ranking."""
    times, rows = pooled(found, "steps", "evaluations"), []
    for scale in dict.fromkeys(key[0] for key in times):
        of = [times.get((scale, "vbpr", "plain", who)) for who in WHO]
        if all(of):
            ours, released, tuned = map(statistics.median, of)
            row = [scale, *(f"{t:.2f}" for t in (ours, released, tuned))]
            rows.append([*row, wanted(released / ours, 100), wanted(tuned / ours, 2)])
    head = ["scale", "ours, s", "as released, s", "tuned, s", "over as released", "over tuned"]
    return table(head, rows)


def memory(found):
    """Peak memory of the processes that took steps."""
    rows = {}
    for key, lines in found.items():
        if key[0] == "steps":
            _, scale, _, backbone, kind, who = key
            peak = lines[0]["peak_mib"]
            peak = peak[1] if isinstance(peak, list) else peak
            old = rows.setdefault((scale, backbone, kind), {}).get(who, 0)
            rows[scale, backbone, kind][who] = max(old, peak)
    kept = [[*key, *(of.get(who, "") for who in WHO)] for key, of in rows.items()]
    return table(["scale", "backbone", "step", "ours, MiB", "as released, MiB", "tuned, MiB"], kept)


def job(found):
    """The whole job; the released form's time is its seconds per epoch times the tuned one's epochs."""
    rows = []
    for data in dict.fromkeys(key[1] for key in found if key[0] == "job"):
        of = {who: found.get(("job", data, "0", who)) for who in WHO}
        if not all(of.values()):
            continue
        released = {line["what"]: line for line in of["released"]}
        scaled = sum(
            released[line["what"]]["seconds"] / released[line["what"]]["epochs"] * line["epochs"]
            for line in of["tuned"]
            if line["what"] != "job"
        )
        seconds = [of["ours"][-1]["seconds"], scaled, of["tuned"][-1]["seconds"]]
        for who, time in zip(WHO, seconds, strict=True):
            lines, last = of[who][:-1], of[who][-1]
            best = " / ".join(f"{line['best']:.4f}" for line in lines) if who != "released" else ""
            epochs = " / ".join(str(line["epochs"]) for line in lines) if who != "released" else "scaled"
            memory = f"{last['peak_mib']} MiB"
            ratio = "" if who == "ours" else wanted(time / seconds[0], 12 if who == "released" else 3)
            per_epoch = time / sum(line["epochs"] for line in of["tuned" if who == "released" else who][:-1])
            rows.append([data, who, f"{time:.0f}", f"{per_epoch:.2f}", epochs, best, memory, ratio])
    head = ["data", "who", "seconds", "per epoch", "epochs", "validation recall@20", "peak memory", "ours is faster by"]
    return table(head, rows)


def floors(found):
    """Operations beside what the machine allows."""
    lines = {line["operation"]: line for line in found.get(("floors",), [])}
    if not lines:
        return ""
    rate = lines["peak: products"]["flops"] / lines["peak: products"]["least"]
    width = lines["peak: c = a + b"]["bytes"] / lines["peak: c = a + b"]["least"]
    rows = []
    for name, line in lines.items():
        if name.startswith("peak"):
            continue
        flops, bytes_ = line["flops"] / rate, line["bytes"] / width
        floor = max(flops, bytes_)
        which = "products" if flops > bytes_ else "memory"
        times = [f"{1e3 * t:.2f}" for t in (flops, bytes_, line["least"], line["seconds"])]
        rows.append([name, *times, which, f"{line['least'] / floor:.1f}"])
    text = f"Peak of products {rate / 1e9:.0f} GFLOP/s, of adding vectors {width / 1e9:.1f} GB/s.\n\n"
    head = ["operation", "at peak rate, ms", "at peak bandwidth, ms", "least, ms", "median, ms", "bound by"]
    return text + table([*head, "least over floor"], rows)


def growing(found):
    """Growth, a row per size and backbone."""
    rows = []
    for key, lines in found.items():
        if key[0] != "growth":
            continue
        _, size, backbone = key
        if not lines:
            rows.append([size, backbone, "", "", "", "", "did not finish"])
            continue
        line = lines[0]
        step = statistics.median(line["steps"])
        peak = [f"{mib / 1024:.2f}" for mib in line["peak_mib"]]
        row = [size, backbone, f"{line['load_seconds']:.1f}", f"{line['start_seconds']:.1f}"]
        rows.append([*row, f"{step:.3f}", f"{1 / step:.2f}", f"{peak[0]} / {peak[1]}"])
    head = ["users = items", "backbone", "load, s", "start, s", "step, s", "steps per second"]
    return table([*head, "peak memory loaded / training, GiB"], rows)


SECTIONS = {
    "peer-steps": steps,
    "peer-processor": processor,
    "peer-evaluations": evaluations,
    "peer-memory": memory,
    "peer-job": job,
    "floors": floors,
    "growth": growing,
}


def sections(found):
    """Every table that has something to say, by marker."""
    made = {name: of(found) for name, of in SECTIONS.items()}
    return {name: text for name, text in made.items() if text.count("\n") > 2}


def write(path, made):
    """Replaces what stands between `<!-- NAME -->` and `<!-- end NAME -->`, atomically."""
    text = path.read_text()
    for name, content in made.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end {name} -->"
        if begin not in text or end not in text:
            sys.exit(f"{path}: no markers {begin.strip()} and {end}; put them where the table goes")
        before, rest = text.split(begin, 1)
        text = before + begin + "\n" + content + "\n" + end + rest.split(end, 1)[1]
    fresh = path.with_suffix(".md.tmp")
    fresh.write_text(text)
    fresh.replace(path)
