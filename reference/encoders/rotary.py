"""Forward passes in float64 of text encoders whose positions are turns or distances: ModernBERT, Nomic's BERT, Qwen3, Jina's BERT."""

import math

import numpy as np

from forward import ACTIVATIONS, norm


def linear(x, p, name):
    y = x @ p[name + ".weight"].T
    return y + p[name + ".bias"] if name + ".bias" in p else y


def layer_norm(x, p, name, eps):
    with_bias = p if name + ".bias" in p else {**p, name + ".bias": 0.0}
    return norm(x, with_bias, name, eps)


def root_mean_square(x, p, name, eps):
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps) * p[name + ".weight"]


def silu(x):
    return x / (1 + np.exp(-x))


def turned(x, base):
    """Rows of one head as complex numbers, each multiplied by e^(i t theta_k)."""
    length, d = x.shape
    theta = np.array([base ** (-2 * k / d) for k in range(d // 2)])
    pairs = x[:, : d // 2] + 1j * x[:, d // 2 :]
    pairs = pairs * np.exp(1j * np.outer(np.arange(length), theta))
    return np.concatenate([pairs.real, pairs.imag], axis=1)


def attend(q, k, v, seen, bias=0.0):
    scores = np.where(seen, q @ k.T / math.sqrt(q.shape[1]) + bias, -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True) @ v


def split(x, heads):
    return np.split(x, heads, axis=1)


def modern_bert(ids, p, config):
    eps, heads = config["norm_eps"], config["num_attention_heads"]
    x = layer_norm(p["embeddings.tok_embeddings.weight"][ids], p, "embeddings.norm", eps)
    distance = np.abs(np.subtract.outer(np.arange(len(ids)), np.arange(len(ids))))
    for n in range(config["num_hidden_layers"]):
        name = f"layers.{n}."
        whole = n % config["global_attn_every_n_layers"] == 0
        base = config["global_rope_theta" if whole else "local_rope_theta"]
        seen = distance <= (len(ids) if whole else config["local_attention"] // 2)
        z = x if n == 0 else layer_norm(x, p, name + "attn_norm", eps)
        q, k, v = (split(part, heads) for part in split(linear(z, p, name + "attn.Wqkv"), 3))
        parts = [attend(turned(q, base), turned(k, base), v, seen) for q, k, v in zip(q, k, v)]
        x = x + linear(np.concatenate(parts, axis=1), p, name + "attn.Wo")
        a, b = split(linear(layer_norm(x, p, name + "mlp_norm", eps), p, name + "mlp.Wi"), 2)
        x = x + linear(ACTIVATIONS["gelu"](a) * b, p, name + "mlp.Wo")
    return layer_norm(x, p, "final_norm", eps)


def nomic_bert(ids, p, config):
    eps, heads, base = config["layer_norm_epsilon"], config["n_head"], config["rotary_emb_base"]
    x = p["embeddings.word_embeddings.weight"][ids] + p["embeddings.token_type_embeddings.weight"][0]
    x = layer_norm(x, p, "emb_ln", eps)
    for n in range(config["n_layer"]):
        name = f"encoder.layers.{n}."
        q, k, v = (split(part, heads) for part in split(linear(x, p, name + "attn.Wqkv"), 3))
        parts = [attend(turned(q, base), turned(k, base), v, True) for q, k, v in zip(q, k, v)]
        x = layer_norm(x + linear(np.concatenate(parts, axis=1), p, name + "attn.out_proj"), p, name + "norm1", eps)
        hidden = silu(linear(x, p, name + "mlp.fc12")) * linear(x, p, name + "mlp.fc11")
        x = layer_norm(x + linear(hidden, p, name + "mlp.fc2"), p, name + "norm2", eps)
    return x


def qwen3(ids, p, config):
    eps, base = config["rms_norm_eps"], config["rope_theta"]
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    x = p["embed_tokens.weight"][ids]
    past = np.tri(len(ids), dtype=bool)
    for n in range(config["num_hidden_layers"]):
        name = f"layers.{n}."
        z = root_mean_square(x, p, name + "input_layernorm", eps)
        part = lambda of, count: split(linear(z, p, f"{name}self_attn.{of}_proj"), count)
        ready = lambda rows, of: turned(root_mean_square(rows, p, f"{name}self_attn.{of}_norm", eps), base)
        keys = [ready(k, "k") for k in part("k", groups)]
        values = part("v", groups)
        shared = heads // groups
        parts = [
            attend(ready(q, "q"), keys[h // shared], values[h // shared], past) for h, q in enumerate(part("q", heads))
        ]
        x = x + linear(np.concatenate(parts, axis=1), p, name + "self_attn.o_proj")
        z = root_mean_square(x, p, name + "post_attention_layernorm", eps)
        hidden = silu(linear(z, p, name + "mlp.gate_proj")) * linear(z, p, name + "mlp.up_proj")
        x = x + linear(hidden, p, name + "mlp.down_proj")
    return root_mean_square(x, p, "norm", eps)


def slopes(heads):
    """A geometric series for a power of two; else the one below, then every second of the one above."""
    if heads & (heads - 1) == 0:
        return [2 ** (-8 / heads * (h + 1)) for h in range(heads)]
    below = 2 ** int(math.log2(heads))
    return slopes(below) + slopes(2 * below)[::2][: heads - below]


def jina_bert(ids, p, config):
    eps, heads = config["layer_norm_eps"], config["num_attention_heads"]
    x = p["embeddings.word_embeddings.weight"][ids] + p["embeddings.token_type_embeddings.weight"][0]
    x = layer_norm(x, p, "embeddings.LayerNorm", eps)
    distance = np.abs(np.subtract.outer(np.arange(len(ids)), np.arange(len(ids))))
    for n in range(config["num_hidden_layers"]):
        name = f"encoder.layer.{n}."
        q, k, v = (split(linear(x, p, f"{name}attention.self.{of}"), heads) for of in ("query", "key", "value"))
        parts = [attend(q, k, v, True, -m * distance) for q, k, v, m in zip(q, k, v, slopes(heads))]
        change = linear(np.concatenate(parts, axis=1), p, name + "attention.output.dense")
        x = layer_norm(x + change, p, name + "attention.output.LayerNorm", eps)
        a, b = split(linear(x, p, name + "mlp.gated_layers"), 2)
        change = linear(ACTIVATIONS["gelu"](a) * b, p, name + "mlp.wo")
        x = layer_norm(x + change, p, name + "mlp.layernorm", eps)
    return x
