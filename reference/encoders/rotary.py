"""Forward passes in float64 of text encoders whose positions are rotations: ModernBERT and NomicBERT.

Warner et al. 2024, *Smarter, Better, Faster, Longer*; Nussbaum et al. 2024, *Nomic Embed*; rotations after Su et al. 2021.
"""

import math

import numpy as np

from forward import ACTIVATIONS, norm


def rotated(x, base):
    """Columns j and j + d/2 of row t are turned by the angle `t base^(-2 j / d)`."""
    half = x.shape[1] // 2
    angles = np.arange(len(x))[:, None] * base ** (-2 * np.arange(half) / x.shape[1])
    a, b = x[:, :half], x[:, half:]
    return np.hstack([a * np.cos(angles) - b * np.sin(angles), b * np.cos(angles) + a * np.sin(angles)])


def attention(x, qkv, out, heads, base, reach):
    """`reach`: the largest distance at which a token is seen, or none."""
    width = x.shape[1]
    q, k, v = np.split(x @ qkv.T, 3, axis=1)
    distance = np.abs(np.subtract.outer(range(len(x)), range(len(x))))
    context = np.zeros_like(x)
    for columns in np.split(np.arange(width), heads):
        scores = rotated(q[:, columns], base) @ rotated(k[:, columns], base).T / math.sqrt(width // heads)
        if reach is not None:
            scores = np.where(distance > reach, -np.inf, scores)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        context[:, columns] = weights / weights.sum(axis=1, keepdims=True) @ v[:, columns]
    return context @ out.T


def modern_bert(ids, p, config):
    """`p` without the prefix `model.`; norms have no bias."""
    eps, gelu = config["norm_eps"], ACTIVATIONS["gelu"]
    plain = lambda x, name: norm(x, {name + ".weight": p[name + ".weight"], name + ".bias": 0.0}, name, eps)
    x = plain(p["embeddings.tok_embeddings.weight"][ids], "embeddings.norm")
    for n in range(config["num_hidden_layers"]):
        of = f"layers.{n}."
        whole = n % config["global_attn_every_n_layers"] == 0
        base = config["global_rope_theta"] if whole else config["local_rope_theta"]
        reach = None if whole else config["local_attention"] // 2
        normed = x if n == 0 else plain(x, of + "attn_norm")
        parts = (p[of + "attn.Wqkv.weight"], p[of + "attn.Wo.weight"])
        x = x + attention(normed, *parts, config["num_attention_heads"], base, reach)
        a, b = np.split(plain(x, of + "mlp_norm") @ p[of + "mlp.Wi.weight"].T, 2, axis=1)
        x = x + (gelu(a) * b) @ p[of + "mlp.Wo.weight"].T
    return plain(x, "final_norm")


def nomic_bert(ids, p, config):
    eps, base = config["layer_norm_epsilon"], config["rotary_emb_base"]
    x = p["embeddings.word_embeddings.weight"][ids] + p["embeddings.token_type_embeddings.weight"][0]
    x = norm(x, p, "emb_ln", eps)
    for n in range(config["n_layer"]):
        of = f"encoder.layers.{n}."
        parts = (p[of + "attn.Wqkv.weight"], p[of + "attn.out_proj.weight"])
        x = norm(x + attention(x, *parts, config["n_head"], base, None), p, of + "norm1", eps)
        gate = x @ p[of + "mlp.fc12.weight"].T
        hidden = (x @ p[of + "mlp.fc11.weight"].T) * gate / (1 + np.exp(-gate))
        x = norm(x + hidden @ p[of + "mlp.fc2.weight"].T, p, of + "norm2", eps)
    return x
