"""Times, medians and peak memory of this process, as JSON lines."""

import json
import time


def times(warm, count, work):
    """Seconds of each call after warming up."""
    for _ in range(warm):
        work()
    found = []
    for _ in range(count):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return found


def peak_mib():
    """Peak resident memory."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def report(**fields):
    """One JSON line."""
    print(json.dumps(fields), flush=True)
