"""Times, medians and peak memory of this process, as JSON lines."""

import json
import time

import torch


def settled(work):
    """Does it, and waits for a card, which is given its work and does it later."""
    work()
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def times(warm, count, work):
    """Seconds of each call after warming up."""
    for _ in range(warm):
        settled(work)
    found = []
    for _ in range(count):
        start = time.perf_counter()
        settled(work)
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
