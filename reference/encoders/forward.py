"""Forward passes of text encoders in float64: BERT, RoBERTa, DistilBERT, MPNet, and what follows them."""

import math

import numpy as np


def erf(x):
    return np.vectorize(math.erf)(x)


ACTIVATIONS = {
    "gelu": lambda x: x * (1 + erf(x / math.sqrt(2))) / 2,
    "gelu_new": lambda x: x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
    "relu": lambda x: np.maximum(x, 0),
}


def norm(x, p, name, eps):
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + eps)
    return scaled * p[name + ".weight"] + p[name + ".bias"]


def linear(x, p, name):
    return x @ p[name + ".weight"].T + p[name + ".bias"]


def attention(x, p, names, heads, bias):
    q, k, v = (linear(x, p, names[part]) for part in ("query", "key", "value"))
    d = x.shape[1] // heads
    out = np.zeros_like(x)
    for h in range(heads):
        columns = slice(h * d, (h + 1) * d)
        scores = q[:, columns] @ k[:, columns].T / math.sqrt(d)
        if bias is not None:
            scores = scores + bias[h]
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        out[:, columns] = weights / weights.sum(axis=1, keepdims=True) @ v[:, columns]
    return linear(out, p, names["output"])


def positions(ids, padding):
    """From 0, or from `padding + 1`, padding tokens not counted."""
    if padding is None:
        return list(range(len(ids)))
    out, count = [], 0
    for i in ids:
        count += i != padding
        out.append(padding if i == padding else padding + count)
    return out


def relative_bias(p, length, buckets):
    """MPNet's number for each head and pair of positions."""
    table = p["encoder.relative_attention_bias.weight"]
    half, exact = buckets // 2, buckets // 4
    out = np.zeros((table.shape[1], length, length))
    for i in range(length):
        for j in range(length):
            n = abs(i - j)
            if n >= exact:
                share = math.log(n / exact) / math.log(128 / exact)
                n = min(exact + int(share * (half - exact)), half - 1)
            out[:, i, j] = table[n + (half if j > i else 0)]
    return out


def encode(ids, p, config, names):
    """Rows of the last layer."""
    x = p["embeddings.word_embeddings.weight"][ids]
    x = x + p["embeddings.position_embeddings.weight"][positions(ids, names["padding"])]
    if "embeddings.token_type_embeddings.weight" in p:
        x = x + p["embeddings.token_type_embeddings.weight"][0]
    eps = config.get("layer_norm_eps", 1e-12)
    x = norm(x, p, "embeddings.LayerNorm", eps)
    bias = relative_bias(p, len(ids), config["relative_attention_num_buckets"]) if names["relative"] else None
    for n in range(names["layers"]):
        of = {part: name.replace("{n}", str(n)) for part, name in names["parts"].items()}
        x = norm(x + attention(x, p, of, names["heads"], bias), p, of["attention_norm"], eps)
        hidden = ACTIVATIONS[names["activation"]](linear(x, p, of["up"]))
        x = norm(x + linear(hidden, p, of["down"]), p, of["output_norm"], eps)
    return x


def pool(rows, mode):
    weights = np.arange(1, len(rows) + 1)[:, None]
    return {
        "cls": lambda: rows[0],
        "max": lambda: rows.max(axis=0),
        "mean": lambda: rows.mean(axis=0),
        "mean_sqrt_len_tokens": lambda: rows.sum(axis=0) / math.sqrt(len(rows)),
        "weightedmean": lambda: (weights * rows).sum(axis=0) / weights.sum(),
        "lasttoken": lambda: rows[-1],
    }[mode]()


def unit(x):
    return x / max(np.linalg.norm(x), 1e-12)
