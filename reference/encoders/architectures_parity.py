"""Compares `equipoise features text` with `transformers`, for architectures that no small real model stands for.

    HF_HUB_OFFLINE=1 python architectures_parity.py --program target/release/equipoise --work /some/folder

ModernBERT, Nomic's BERT and Qwen3 with random weights, at a tenth of their size or `--full`: no download. Both sides read the
same ids, and rows are their means (Qwen3: last tokens). Prints the largest difference of a component, divided by the largest
component, and the rates of both over `--rounds` with two threads.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from sentence_transformers_parity import WORDS, titles

SPECIAL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]


def tokenizer():
    words = SPECIAL + sorted({word for title in titles(300) for word in title.split()})
    made = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    return made, len(words)


def architectures(words, full):
    """Name, model, pooling."""
    torch.manual_seed(1)
    ids = dict(pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2)
    size = {} if full else dict(hidden_size=96, intermediate_size=144, num_hidden_layers=4, num_attention_heads=4)
    modern = transformers.ModernBertConfig(vocab_size=words, local_attention=16, **ids, **size)
    yield "ModernBERT", transformers.ModernBertModel(modern), "mean"
    nomic = transformers.NomicBertConfig(vocab_size=words, pad_token_id=0, **size)
    yield "Nomic", transformers.NomicBertModel(nomic), "mean"
    # The size of Qwen3-Embedding-0.6B, with fewer words.
    large = dict(hidden_size=1024, intermediate_size=3072, num_hidden_layers=28, num_attention_heads=16, num_key_value_heads=8)
    small = dict(hidden_size=96, intermediate_size=144, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2)
    shape = large if full else small
    qwen = transformers.Qwen3Config(vocab_size=words, head_dim=128 if full else 32, pad_token_id=0, **shape)
    yield "Qwen3", transformers.Qwen3Model(qwen), "lasttoken"


def shaken(model):
    """Random norms and biases as well: a fresh model has ones and zeros there."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "norm" in name.lower() or name.endswith("bias") or "emb_ln" in name:
                value.add_(torch.randn_like(value) * 0.2)
            elif "embed" in name or "tok_" in name:
                value.normal_(0, 1)
    return model.eval()


def theirs(model, ids, pooling, batch=16):
    start, rows = time.perf_counter(), [None] * len(ids)
    order = sorted(range(len(ids)), key=lambda n: len(ids[n]))
    with torch.inference_mode():
        for first in range(0, len(order), batch):
            some = order[first:first + batch]
            longest = max(len(ids[n]) for n in some)
            padded = torch.tensor([ids[n] + [0] * (longest - len(ids[n])) for n in some])
            mask = torch.tensor([[1] * len(ids[n]) + [0] * (longest - len(ids[n])) for n in some])
            hidden = model(input_ids=padded, attention_mask=mask).last_hidden_state.numpy()
            for n, h in zip(some, hidden):
                h = h[:len(ids[n])]
                rows[n] = h[-1] if pooling == "lasttoken" else h.mean(0)
    return np.array(rows), time.perf_counter() - start


def ours(program, data, folder, pooling):
    command = [program, "features", "text", "--data", data, "--model", folder, "--pooling", pooling, "--overwrite", "--quiet"]
    for old in ("text_feat.npy", "text_feat_ids.json", "text_missing.json", "text_encoder.json"):
        (Path(data) / old).unlink(missing_ok=True)
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, env=os.environ | {"RAYON_NUM_THREADS": "2"})
    seconds = json.loads((Path(data) / "text_encoder.json").read_text())["seconds"]
    return np.load(Path(data) / "text_feat.npy"), seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--texts", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(2)
    made, words = tokenizer()
    texts = titles(options.texts) + [" ".join(WORDS[:n]) for n in (1, 2, 40)]
    data = options.work / "data"
    data.mkdir(parents=True, exist_ok=True)
    for name, value in {"train": {"0": list(range(len(texts)))}, "val": {"0": []}, "test": {"0": []}}.items():
        (data / f"{name}.json").write_text(json.dumps(value))
    (data / "item_list.txt").write_text("".join(f"i{n}\t{n}\n" for n in range(len(texts))))
    (data / "texts.jsonl").write_text("".join(json.dumps({"id": f"i{n}", "text": t}) + "\n" for n, t in enumerate(texts)))
    print("| model | largest difference | texts/s | transformers | ratio |\n|---|---|---|---|---|")
    for name, model, pooling in architectures(words, options.full):
        folder = options.work / name
        shaken(model).save_pretrained(folder)
        made.save(str(folder / "tokenizer.json"))
        ids = [made.encode(text).ids for text in texts]
        mine, yours = [], []
        for _ in range(options.rounds):
            found, seconds = ours(options.program, data, folder, pooling)
            mine.append(len(texts) / seconds)
            expected, seconds = theirs(model, ids, pooling)
            yours.append(len(texts) / seconds)
        far = np.abs(found - expected).max() / np.abs(expected).max()
        a, b = statistics.median(mine), statistics.median(yours)
        print(f"| {name} | {far:.1e} | {a:.0f} | {b:.0f} | {a / b:.2f} |", flush=True)


if __name__ == "__main__":
    main()
