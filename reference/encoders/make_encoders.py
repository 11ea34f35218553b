"""Writes tiny text encoders with random weights, and what they make of some texts, to ../golden/encoders.

    python make_encoders.py

Needs NumPy alone. Tokenizers, forward passes and files are written apart from the program's.
"""

import json
import re
from pathlib import Path

import numpy as np

import forward
import rotary_cases
from tiny_files import (
    byte_pair_merges,
    byte_pair_tokenizer,
    rounded,
    safetensors,
    wordpiece_tokenizer,
    wordpiece_vocabulary,
    write,
)
from tiny_tokens import byte_pairs, cut, wordpiece

OUT = Path(__file__).resolve().parent.parent / "golden" / "encoders"

TEXTS = [
    "Blue Towel for Babies, 2 pack",
    "Soft baby blanket (grey)",
    "x",
    "Wooden train set: 40 pieces, with bridge and station; made from beech wood, for children from 3 years on!",
    "night light night light",
    "Car seat cover -- waterproof & washable",
    "the quick brown fox jumps over the lazy dog 1234567890",
    "blanket",
    "blue blanket, soft towel",
    "Zebra? Zebra! zebra.",
]

BERT = {
    "query": "encoder.layer.{n}.attention.self.query",
    "key": "encoder.layer.{n}.attention.self.key",
    "value": "encoder.layer.{n}.attention.self.value",
    "output": "encoder.layer.{n}.attention.output.dense",
    "attention_norm": "encoder.layer.{n}.attention.output.LayerNorm",
    "up": "encoder.layer.{n}.intermediate.dense",
    "down": "encoder.layer.{n}.output.dense",
    "output_norm": "encoder.layer.{n}.output.LayerNorm",
}
DISTILBERT = {
    "query": "transformer.layer.{n}.attention.q_lin",
    "key": "transformer.layer.{n}.attention.k_lin",
    "value": "transformer.layer.{n}.attention.v_lin",
    "output": "transformer.layer.{n}.attention.out_lin",
    "attention_norm": "transformer.layer.{n}.sa_layer_norm",
    "up": "transformer.layer.{n}.ffn.lin1",
    "down": "transformer.layer.{n}.ffn.lin2",
    "output_norm": "transformer.layer.{n}.output_layer_norm",
}
MPNET = {
    **BERT,
    "query": "encoder.layer.{n}.attention.attn.q",
    "key": "encoder.layer.{n}.attention.attn.k",
    "value": "encoder.layer.{n}.attention.attn.v",
    "output": "encoder.layer.{n}.attention.attn.o",
    "attention_norm": "encoder.layer.{n}.attention.LayerNorm",
}


def parameters(rng, names, width, hidden, vocabulary, rows, segments, buckets, dtype):
    """Random weights, large enough that every part of the model shows in the result."""
    p = {}

    def table(name, *shape):
        p[name] = rng.normal(0, 0.5, shape)

    def map_(name, inputs, outputs):
        p[name + ".weight"] = rng.normal(0, 1.5 / np.sqrt(inputs), (outputs, inputs))
        p[name + ".bias"] = rng.normal(0, 0.3, outputs)

    def norm(name):
        p[name + ".weight"] = rng.uniform(0.5, 1.5, width)
        p[name + ".bias"] = rng.normal(0, 0.3, width)

    table("embeddings.word_embeddings.weight", vocabulary, width)
    table("embeddings.position_embeddings.weight", rows, width)
    if segments:
        table("embeddings.token_type_embeddings.weight", segments, width)
    norm("embeddings.LayerNorm")
    for n in range(names["layers"]):
        of = {part: name.replace("{n}", str(n)) for part, name in names["parts"].items()}
        for part in ("query", "key", "value", "output"):
            map_(of[part], width, width)
        map_(of["up"], width, hidden)
        map_(of["down"], hidden, width)
        norm(of["attention_norm"])
        norm(of["output_norm"])
    if names["relative"]:
        table("encoder.relative_attention_bias.weight", buckets, names["heads"])
    return {name: rounded(value, dtype) for name, value in p.items()}


def modules(kinds):
    places = [("", "Transformer")] + [(f"{n}_{kind}", kind) for n, kind in enumerate(kinds, 1)]
    return [
        {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for n, (path, kind) in enumerate(places)
    ]


def transformer(name, seed, parts, heads, config, tokenize, vocabulary, tokenizer, dtype, kind, prefix=""):
    """One model's folder; returns the function from a text to its ids and rows."""
    folder = OUT / name
    rng = np.random.default_rng(seed)
    get = lambda *keys: next(config[key] for key in keys if key in config)
    width, hidden = get("hidden_size", "dim"), get("intermediate_size", "hidden_dim")
    names = {
        "parts": parts,
        "layers": get("num_hidden_layers", "n_layers"),
        "heads": heads,
        "activation": get("hidden_act", "activation"),
        "padding": config["pad_token_id"] if kind in ("roberta", "mpnet") else None,
        "relative": kind == "mpnet",
    }
    rows = config["max_position_embeddings"]
    p = parameters(
        rng, names, width, hidden, len(vocabulary), rows, config.get("type_vocab_size", 0),
        config.get("relative_attention_num_buckets", 0), dtype,
    )
    write(folder / "config.json", {"model_type": kind, "vocab_size": len(vocabulary), **config})
    write(folder / "tokenizer.json", tokenizer)
    tensors = {prefix + key: (value, dtype) for key, value in p.items()}
    if name == "mpnet":
        # In two files, as large models are.
        half = sorted(tensors)[: len(tensors) // 2]
        shards = {f"model-0000{n}-of-00002.safetensors": {} for n in (1, 2)}
        for key, value in tensors.items():
            shards[list(shards)[key not in half]][key] = value
        for file, content in shards.items():
            safetensors(folder / file, content)
        index = {key: file for file, content in shards.items() for key in content}
        write(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": index})
    else:
        safetensors(folder / "model.safetensors", tensors)
    return lambda text: (lambda ids: (ids, forward.encode(ids, p, config, names)))(tokenize(text))


def golden(name, of, finish):
    cases = []
    for text in TEXTS:
        ids, rows = of(text)
        cases.append({"text": text, "ids": ids, "vector": [float(v) for v in finish(rows)]})
    write(OUT / name / "golden.json", cases)


def main():
    pieces = wordpiece_vocabulary(TEXTS[:6], 130)
    merges = byte_pair_merges(TEXTS, 60)
    bytes_tokenizer, bytes_vocabulary = byte_pair_tokenizer(merges)
    cls, sep = pieces["[CLS]"], pieces["[SEP]"]
    word_ids = lambda most: lambda text: cut(wordpiece(text, pieces), most, cls, sep)
    byte_ids = lambda most: lambda text: cut(byte_pairs(text, bytes_vocabulary, merges), most, 0, 2)

    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    small = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}

    config = {**sizes, "hidden_act": "gelu", "max_position_embeddings": 40, "type_vocab_size": 2,
              "layer_norm_eps": 1e-12, "pad_token_id": 0}
    of = transformer("bert", 1, BERT, 4, config, word_ids(12), pieces, wordpiece_tokenizer(pieces), "F32", "bert")
    write(OUT / "bert/sentence_bert_config.json", {"max_seq_length": 12, "do_lower_case": False})
    write(OUT / "bert/modules.json", modules(["Pooling", "Normalize"]))
    write(OUT / "bert/1_Pooling/config.json", {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True})
    golden("bert", of, lambda rows: forward.unit(forward.pool(rows, "mean")))

    config = {**small, "hidden_act": "gelu_new", "max_position_embeddings": 34, "type_vocab_size": 1,
              "layer_norm_eps": 1e-5, "pad_token_id": 1}
    TEXTS.append("a <pad> within a text")
    of = transformer("roberta", 2, BERT, 2, config, byte_ids(32), bytes_vocabulary, bytes_tokenizer, "F16",
                     "roberta", "roberta.")
    rng = np.random.default_rng(3)
    dense = {"weight": rounded(rng.normal(0, 0.3, (8, 32)), "F32"), "bias": rounded(rng.normal(0, 0.3, 8), "F32")}
    write(OUT / "roberta/sentence_bert_config.json", {"max_seq_length": 32})
    write(OUT / "roberta/modules.json", modules(["Pooling", "Dense"]))
    write(OUT / "roberta/1_Pooling/config.json",
          {"word_embedding_dimension": 16, "pooling_mode_cls_token": True, "pooling_mode_max_tokens": True,
           "pooling_mode_mean_tokens": False})
    write(OUT / "roberta/2_Dense/config.json",
          {"in_features": 32, "out_features": 8, "bias": True,
           "activation_function": "torch.nn.modules.activation.Tanh"})
    safetensors(OUT / "roberta/2_Dense/model.safetensors",
                {f"linear.{key}": (value, "F32") for key, value in dense.items()})
    both = lambda rows: np.concatenate([forward.pool(rows, "cls"), forward.pool(rows, "max")])
    golden("roberta", of, lambda rows: np.tanh(dense["weight"] @ both(rows) + dense["bias"]))
    TEXTS.pop()

    config = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24, "activation": "relu",
              "max_position_embeddings": 20, "pad_token_id": 0}
    of = transformer("distilbert", 4, DISTILBERT, 2, config, word_ids(20), pieces, wordpiece_tokenizer(pieces),
                     "BF16", "distilbert", "distilbert.")
    golden("distilbert", of, lambda rows: forward.pool(rows, "mean"))

    config = {**small, "hidden_act": "gelu", "max_position_embeddings": 162, "layer_norm_eps": 1e-5,
              "pad_token_id": 1, "relative_attention_num_buckets": 32}
    TEXTS.append(" ".join(TEXTS))
    of = transformer("mpnet", 5, MPNET, 2, config, byte_ids(150), bytes_vocabulary, bytes_tokenizer, "F32", "mpnet")
    write(OUT / "mpnet/sentence_bert_config.json", {"max_seq_length": 150})
    write(OUT / "mpnet/modules.json", modules(["Pooling"]))
    write(OUT / "mpnet/1_Pooling/config.json", {"embedding_dimension": 16, "pooling_mode": ["weightedmean", "lasttoken", "mean_sqrt_len_tokens"]})
    golden("mpnet", of, lambda rows: np.concatenate(
        [forward.pool(rows, mode) for mode in ("weightedmean", "lasttoken", "mean_sqrt_len_tokens")]))
    TEXTS.pop()

    static(pieces)
    rotary_cases.cases(OUT, TEXTS, pieces, merges)
    counts()


def static(pieces):
    """Static embeddings with a weight for each token and rows that several tokens share."""
    rng = np.random.default_rng(6)
    table = rounded(rng.normal(0, 1, (40, 12)), "F32")
    weights = rounded(rng.uniform(0.1, 1, len(pieces)), "F32")
    mapping = rng.integers(0, 40, len(pieces))
    folder = OUT / "static"
    write(folder / "config.json", {"model_type": "model2vec", "architectures": ["StaticModel"], "normalize": True})
    plain = {**wordpiece_tokenizer(pieces), "truncation": None, "padding": None}
    write(folder / "tokenizer.json", plain)
    safetensors(folder / "model.safetensors",
                {"embeddings": (table, "F32"), "weights": (weights, "F32"), "mapping": (mapping, "I64")})
    cases = []
    for text in TEXTS:
        ids = [i for i in wordpiece(text, pieces) if i != pieces["[UNK]"]]
        vector = (weights[ids, None] * table[mapping[ids]]).mean(axis=0)
        cases.append({"text": text, "ids": ids, "vector": [float(v) for v in vector / np.linalg.norm(vector)]})
    write(folder / "golden.json", cases)


def column(term):
    """FNV-1a of 64 bits, folded to 18."""
    value = 0xCBF29CE484222325
    for byte in term.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    half = (value >> 32) ^ (value & 0xFFFFFFFF)
    return (half >> 18) ^ (half & (2**18 - 1))


def counts():
    """The built-in encoder: a dense matrix and NumPy's singular value decomposition."""
    rng = np.random.default_rng(7)
    words = [f"word{n}" for n in range(40)]
    texts = [" ".join(rng.choice(words[n % 4 * 10 :][:14], 9)) for n in range(30)] + ["nothing shared", "Ünïcode, WORD1! word2"]
    split = [re.findall(r"[^\W_]+", text.lower()) for text in texts]
    terms = [words + [f"{a} {b}" for a, b in zip(words, words[1:])] for words in split]
    columns = [np.unique([column(term) for term in of], return_counts=True) for of in terms]
    having = np.bincount(np.concatenate([c for c, _ in columns]), minlength=2**18)
    kept = np.flatnonzero(having > 1)
    place = {c: n for n, c in enumerate(kept)}
    a = np.zeros((len(texts), len(kept)))
    for row, (of, times) in zip(a, columns):
        for c, n in zip(of, times):
            if c in place:
                row[place[c]] = (1 + np.log(n)) * (1 + np.log((1 + len(texts)) / (1 + having[c])))
    norms = np.linalg.norm(a, axis=1)
    a = a[norms > 0] / norms[norms > 0, None]
    k = 6
    _, _, vt = np.linalg.svd(a, full_matrices=False)
    v = vt[:k].T
    v = v * np.sign(v[np.abs(v).argmax(axis=0), range(k)])
    write(OUT / "builtin.json", {
        "texts": texts,
        "rows": [int(n) for n in np.flatnonzero(norms > 0)],
        "width": k,
        "features": [[float(x) for x in row] for row in a @ v],
    })


if __name__ == "__main__":
    main()
