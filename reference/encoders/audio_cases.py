"""Writes rows of the built-in encoder of sounds, from its equations, to ../golden/audio.json.

    python audio_cases.py

Needs NumPy alone. Sounds are 16,000 samples a second of one channel that both sides can make: whole numbers of 16 bits.
"""

import json
from pathlib import Path

import numpy as np

from made_up import tensor

OUT = Path(__file__).resolve().parent.parent / "golden" / "audio.json"

RATE, WINDOW, HOP, LENGTH, BANDS = 16_000, 400, 160, 1024, 64
LOW, HIGH = 125.0, 7500.0
FLOOR = 1e-10

# Name, samples, and parts: noise of a scale, and triangles of a period in samples, with the samples where they are heard.
CASES = [
    {"name": "noise", "samples": 16_000, "noise": 0.25, "triangles": []},
    {"name": "two tones", "samples": 24_000, "noise": 0.0, "triangles": [[37, 0.5, 0, 24_000], [7, 0.125, 0, 24_000]]},
    {"name": "beats", "samples": 20_000, "noise": 0.0078125, "triangles": [[50, 0.5, k, k + 900] for k in range(0, 20_000, 4000)]},
    {"name": "begins late", "samples": 12_345, "noise": 0.0, "triangles": [[23, 0.25, 6000, 12_000]]},
    {"name": "one window", "samples": 559, "noise": 0.5, "triangles": []},
]


def sound(case):
    """Whole numbers of 16 bits."""
    n = np.arange(case["samples"])
    x = np.zeros(case["samples"])
    if case["noise"]:
        x += tensor(case["name"], (case["samples"],), case["noise"])
    for period, height, begin, end in case["triangles"]:
        turn = (n % period) / period
        x += np.where((n >= begin) & (n < end), height * (4.0 * np.abs(turn - 0.5) - 1.0), 0.0)
    return np.floor(x * 32767.0)


def mel(hertz):
    return 2595.0 * np.log10(1.0 + hertz / 700.0)


def filters():
    """Weights of the bins in each band, BANDS x bins."""
    borders = 700.0 * (10.0 ** (np.linspace(mel(LOW), mel(HIGH), BANDS + 2) / 2595.0) - 1.0)
    bins = np.fft.rfftfreq(LENGTH, 1.0 / RATE)
    rows = []
    for left, middle, right in zip(borders, borders[1:], borders[2:]):
        row = np.interp(bins, [left, middle, right], [0.0, 1.0, 0.0])
        rows.append(row / row.sum())
    return np.array(rows)


def levels(x):
    """ln of the power of each band in each window, windows x BANDS."""
    window = np.hanning(WINDOW + 1)[:-1]
    parts = np.lib.stride_tricks.sliding_window_view(x, WINDOW)[::HOP]
    parts = parts - parts.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(parts * window, LENGTH)) ** 2 / (window.sum() / 2.0) ** 2
    return np.log(np.maximum(power @ filters().T, FLOOR))


def row(x):
    found = levels(x / 32768.0)
    change = np.abs(np.diff(found, axis=0))
    return np.concatenate([
        (found.mean(axis=0) + 5.0 * np.log(10.0)) / 32.0,
        found.std(axis=0) / 16.0,
        (change.mean(axis=0) if len(change) else np.zeros(BANDS)) / 8.0,
    ])


def main():
    cases = []
    for case in CASES:
        x = sound(case)
        assert np.abs(x).max() < 32768
        assert len(levels(x / 32768.0)) == 1 + (len(x) - WINDOW) // HOP
        cases.append({**case, "sum": int(np.abs(x).sum()), "row": [float(f"{value:.9g}") for value in row(x)]})
    OUT.write_text(json.dumps({"cases": cases}, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
