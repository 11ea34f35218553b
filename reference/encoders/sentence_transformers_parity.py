"""Holds `equipoise features text` against sentence-transformers: the same texts, vectors and times in one run.

    python sentence_transformers_parity.py --program ../../target/release/equipoise --model FOLDER [--titles 2000]

Needs torch, sentence-transformers and NumPy. Prints the largest difference of a component over varied texts, and the
median of three times over titles of 6 to 20 words; both sides use two threads, and both times hold tokenisation,
encoding and pooling, not the start of the program or the loading of the model.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
THREADS = 2

WORDS = (
    "baby blanket soft cotton organic bottle warmer pacifier clip stroller organizer black grey pink blue infant toddler "
    "crib mattress waterproof fitted sheet nursing pillow cover swaddle wrap newborn gift set pack of two three months bib "
    "silicone teether monitor camera night vision wooden toy puzzle alphabet car seat protector travel bag diaper changing "
    "pad portable with for and the new large small deluxe premium classic edition BPA-free machine washable"
).split()


def titles(count, seed=1):
    rng = random.Random(seed)
    return [" ".join(rng.choice(WORDS) for _ in range(rng.randint(6, 20))).capitalize() for _ in range(count)]


def varied(count, seed=2):
    """Short, very long, with markup, in other scripts, with emoji, accents and control characters."""
    rng = random.Random(seed)
    odd = [
        "x", "!", "...", "123 456,789.00", "ALL CAPS TITLE", "na\u00efve caf\u00e9 r\u00e9sum\u00e9", "\u65e5\u672c\u8a9e\u306e\u6587\u7ae0",
        "\u0440\u0443\u0441\u0441\u043a\u0438\u0439 \u0442\u0435\u043a\u0441\u0442", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629", "\U0001f476\U0001f37c baby \U0001f600", "<b>bold</b> &amp; <br/> markup &quot;x&quot;",
        "tab\tand\nnewline\r\n", "zero\u200bwidth \ufeffmark", "e\u0301 combining", "\ufb01ne ligature", "a" * 150,
        "[MASK] [SEP] special", "http://example.com/a?b=c#d", "C++/C# & $9.99 (50% off!)", "\u00a0non-breaking\u00a0",
    ]
    long = [" ".join(rng.choice(WORDS) for _ in range(n)) for n in (150, 250, 300, 1000, 5000)]
    mixed = [f"{rng.choice(odd)} {title}" for title in titles(count, seed)]
    return odd + long + mixed


def data_set(folder, texts):
    ids = range(len(texts))
    Path(folder, "train.json").write_text(json.dumps({"0": list(ids)}))
    Path(folder, "val.json").write_text('{"0": []}')
    Path(folder, "test.json").write_text('{"0": []}')
    lines = [json.dumps({"id": str(i), "text": text}) for i, text in zip(ids, texts)]
    Path(folder, "texts.jsonl").write_text("\n".join(lines) + "\n")


def ours(program, model, texts, times):
    """Vectors, and the seconds of each of `times` runs as the program reports them."""
    import numpy as np

    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        data_set(folder, texts)
        for n in range(times):
            name = f"text{n}"
            command = [program, "features", "text", "--data", folder, "--model", model, "--name", name]
            subprocess.run([*command, "--threads", str(THREADS), "--quiet"], check=True, stdout=subprocess.DEVNULL)
            report = json.loads(Path(folder, f"{name}_encoder.json").read_text())
            seconds.append(report["seconds"])
        assert json.loads(Path(folder, "text0_missing.json").read_text()) == []
        return np.load(Path(folder, "text0_feat.npy")), seconds


def theirs(model, texts, times):
    import torch

    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(THREADS)
    encoder = SentenceTransformer(model, device="cpu")
    encoder.encode(texts[:64])
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        vectors = encoder.encode(texts, batch_size=32)
        seconds.append(time.perf_counter() - start)
    return vectors, seconds


def main():
    import numpy as np

    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--titles", type=int, default=2000)
    parser.add_argument("--varied", type=int, default=400)
    arguments = parser.parse_args()
    texts = varied(arguments.varied)
    a, _ = ours(arguments.program, arguments.model, texts, 1)
    b, _ = theirs(arguments.model, texts, 1)
    largest = float(np.abs(a - b).max())
    print(f"{len(texts)} varied texts: largest difference of a component {largest:.2e}")
    texts = titles(arguments.titles)
    own, reference = [], []
    # In turn, so that other work on the machine falls on both.
    for _ in range(3):
        own += ours(arguments.program, arguments.model, texts, 1)[1]
        reference += theirs(arguments.model, texts, 1)[1]
    for name, seconds in (("equipoise", own), ("sentence-transformers", reference)):
        median = statistics.median(seconds)
        print(f"{name:>22}: {median:.2f} s, {len(texts) / median:.0f} titles/s (of {[round(s, 2) for s in seconds]})")
    raise SystemExit(largest > 1e-4)


if __name__ == "__main__":
    main()
