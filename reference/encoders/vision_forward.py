"""Vision transformers in NumPy float64, from their papers' equations.

`weights` maps the names that files of the Hugging Face hub use to arrays. A picture is [3, height, width].
"""

import math

import numpy as np

_erf = np.vectorize(math.erf)


def gelu(x):
    return x * 0.5 * (1 + _erf(x / math.sqrt(2)))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_pytorch_tanh": gelu_tanh,
    "quick_gelu": lambda x: x * sigmoid(1.702 * x),
}


def norm(weights, name, x, eps):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + eps) * weights[name + ".weight"] + weights[name + ".bias"]


def linear(weights, name, x):
    y = x @ weights[name + ".weight"].T
    return y + weights[name + ".bias"] if name + ".bias" in weights else y


def softmax(x):
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def attention(q, k, v, heads):
    """Rows of q attend to rows of k; columns are cut into heads."""
    size = q.shape[1] // heads
    parts = []
    for head in range(heads):
        cut = slice(head * size, (head + 1) * size)
        parts.append(softmax(q[:, cut] @ k[:, cut].T / math.sqrt(size)) @ v[:, cut])
    return np.concatenate(parts, axis=1)


def patches(picture, kernel, stride):
    """Convolution with stride: one row for each patch; `kernel` is [out, 3, stride, stride]."""
    rows = picture.shape[1] // stride
    columns = picture.shape[2] // stride
    out = []
    for r in range(rows):
        for c in range(columns):
            patch = picture[:, r * stride:(r + 1) * stride, c * stride:(c + 1) * stride]
            out.append((kernel * patch).sum((1, 2, 3)))
    return np.array(out), (rows, columns)


def cubic(t, a):
    t = abs(t)
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    if t < 2:
        return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a
    return 0.0


def resampling(source, target, smoothing):
    """[target, source] matrix of cubic interpolation."""
    matrix = np.zeros((target, source))
    scale = source / target
    for o in range(target):
        if smoothing:
            stretch = max(scale, 1.0)
            centre = (o + 0.5) * scale
            first = max(0, int(centre - 2 * stretch + 0.5))
            last = min(source, int(centre + 2 * stretch + 0.5))
            for x in range(first, last):
                matrix[o, x] = cubic((x + 0.5 - centre) / stretch, -0.5)
            matrix[o] /= matrix[o].sum()
        else:
            at = (o + 0.5) * scale - 0.5
            for x in range(math.floor(at) - 1, math.floor(at) + 3):
                matrix[o, min(max(x, 0), source - 1)] += cubic(at - x, -0.75)
    return matrix


def positions(table, grid, smoothing):
    """Positions of patches, learnt on a square grid, for another grid."""
    side = math.isqrt(len(table))
    if grid == (side, side):
        return table
    square = table.reshape(side, side, -1)
    down, across = resampling(side, grid[0], smoothing), resampling(side, grid[1], smoothing)
    return np.einsum("ry,cx,yxd->rcd", down, across, square).reshape(grid[0] * grid[1], -1)


def block(weights, x, heads, eps, names, mlp):
    """One pre-norm block."""
    a = norm(weights, names["norm1"], x, eps)
    q, k, v = (linear(weights, names[part], a) for part in ("q", "k", "v"))
    change = linear(weights, names["o"], attention(q, k, v, heads))
    x = x + change * weights.get(names.get("scale1"), 1.0)
    change = mlp(norm(weights, names["norm2"], x, eps))
    return x + change * weights.get(names.get("scale2"), 1.0)


def vit(weights, config, picture, prefix=""):
    """Tokens after the final norm: class token first."""
    w = {name[len(prefix):]: value for name, value in weights.items() if name.startswith(prefix)}
    x, _ = patches(picture, w["embeddings.patch_embeddings.projection.weight"], config["patch_size"])
    x = x + w["embeddings.patch_embeddings.projection.bias"]
    x = np.concatenate([w["embeddings.cls_token"][0], x]) + w["embeddings.position_embeddings"][0]
    act = ACTIVATIONS[config["hidden_act"]]
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}."
        names = {"norm1": at + "layernorm_before", "norm2": at + "layernorm_after", "o": at + "attention.output.dense"}
        names |= {k: at + "attention.attention." + n for k, n in (("q", "query"), ("k", "key"), ("v", "value"))}
        mlp = lambda y: linear(w, at + "output.dense", act(linear(w, at + "intermediate.dense", y)))
        x = block(w, x, config["num_attention_heads"], config["layer_norm_eps"], names, mlp)
    return norm(w, "layernorm", x, config["layer_norm_eps"])


def swiglu(w, at, y):
    both = linear(w, at + "mlp.weights_in", y)
    half = both.shape[1] // 2
    return linear(w, at + "mlp.weights_out", both[:, :half] * sigmoid(both[:, :half]) * both[:, half:])


def dinov2(w, config, picture):
    """Tokens after the final norm: class token, registers, patches."""
    x, grid = patches(picture, w["embeddings.patch_embeddings.projection.weight"], config["patch_size"])
    x = x + w["embeddings.patch_embeddings.projection.bias"]
    registers = w.get("embeddings.register_tokens")
    table = w["embeddings.position_embeddings"][0]
    x = x + positions(table[1:], grid, smoothing=registers is not None)
    before = [w["embeddings.cls_token"][0] + table[:1]] + ([] if registers is None else [registers[0]])
    x = np.concatenate(before + [x])
    act = ACTIVATIONS[config["hidden_act"]]
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}."
        names = {"norm1": at + "norm1", "norm2": at + "norm2", "o": at + "attention.output.dense"}
        names |= {k: at + "attention.attention." + n for k, n in (("q", "query"), ("k", "key"), ("v", "value"))}
        names |= {"scale1": at + "layer_scale1.lambda1", "scale2": at + "layer_scale2.lambda1"}
        if config.get("use_swiglu_ffn"):
            mlp = lambda y: swiglu(w, at, y)
        else:
            mlp = lambda y: linear(w, at + "mlp.fc2", act(linear(w, at + "mlp.fc1", y)))
        x = block(w, x, config["num_attention_heads"], config["layer_norm_eps"], names, mlp)
    return norm(w, "layernorm", x, config["layer_norm_eps"])


def tower(w, config, picture, prefix, class_token):
    """The vision tower of CLIP and SigLIP up to the final norm, which is left to the caller."""
    x, _ = patches(picture, w[prefix + "embeddings.patch_embedding.weight"], config["patch_size"])
    x = x + w.get(prefix + "embeddings.patch_embedding.bias", 0.0)
    if class_token:
        x = np.concatenate([w[prefix + "embeddings.class_embedding"][None], x])
    x = x + w[prefix + "embeddings.position_embedding.weight"]
    if class_token:
        x = norm(w, prefix + "pre_layrnorm", x, config["layer_norm_eps"])
    act = ACTIVATIONS[config["hidden_act"]]
    for layer in range(config["num_hidden_layers"]):
        at = f"{prefix}encoder.layers.{layer}."
        names = {"norm1": at + "layer_norm1", "norm2": at + "layer_norm2", "o": at + "self_attn.out_proj"}
        names |= {part: f"{at}self_attn.{part}_proj" for part in "qkv"}
        mlp = lambda y: linear(w, at + "mlp.fc2", act(linear(w, at + "mlp.fc1", y)))
        x = block(w, x, config["num_attention_heads"], config["layer_norm_eps"], names, mlp)
    return x


def clip(w, config, picture, prefix="vision_model."):
    """The class token after the final norm and, where there is one, through the projection."""
    x = tower(w, config, picture, prefix, class_token=True)
    row = norm(w, prefix + "post_layernorm", x[:1], config["layer_norm_eps"])
    return row[0], (linear(w, "visual_projection", row)[0] if "visual_projection.weight" in w else None)


def siglip(w, config, picture, prefix=""):
    """Tokens after the final norm, and the row of the attention head."""
    x = norm(w, prefix + "post_layernorm", tower(w, config, picture, prefix, class_token=False), config["layer_norm_eps"])
    at = prefix + "head."
    width = x.shape[1]
    weight, bias = w[at + "attention.in_proj_weight"], w[at + "attention.in_proj_bias"]
    q, k, v = (
        rows @ weight[i * width:(i + 1) * width].T + bias[i * width:(i + 1) * width]
        for i, rows in enumerate([w[at + "probe"][0], x, x])
    )
    row = linear(w, at + "attention.out_proj", attention(q, k, v, config["num_attention_heads"]))
    act = ACTIVATIONS[config["hidden_act"]]
    y = norm(w, at + "layernorm", row, config["layer_norm_eps"])
    return x, (row + linear(w, at + "mlp.fc2", act(linear(w, at + "mlp.fc1", y))))[0]
