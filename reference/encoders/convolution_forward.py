"""Convolutional networks in NumPy float64, from their papers' equations: ResNet, ConvNeXt, ConvNeXt V2.

`w` maps the names that files of the Hugging Face hub use to arrays. A picture is [channels, height, width].
"""

import numpy as np

from vision_forward import ACTIVATIONS, norm

ACTIVATIONS = ACTIVATIONS | {"relu": lambda x: np.maximum(x, 0)}


def convolution(x, kernel, stride, padding, groups=1):
    """`kernel` is [outputs, inputs / groups, k, k]."""
    outputs, inputs, k, _ = kernel.shape
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    height, width = (x.shape[1] - k) // stride + 1, (x.shape[2] - k) // stride + 1
    out = np.zeros((outputs, height, width))
    for o in range(outputs):
        first = o // (outputs // groups) * inputs
        for y in range(height):
            for c in range(width):
                window = x[first:first + inputs, y * stride:y * stride + k, c * stride:c * stride + k]
                out[o, y, c] = (window * kernel[o]).sum()
    return out


def batch_norm(w, name, x):
    of = lambda part: w[f"{name}.{part}"][:, None, None]
    return (x - of("running_mean")) / np.sqrt(of("running_var") + 1e-5) * of("weight") + of("bias")


def with_norm(w, name, x, stride):
    kernel = w[name + ".convolution.weight"]
    return batch_norm(w, name + ".normalization", convolution(x, kernel, stride, kernel.shape[2] // 2))


def maximum_pool(x):
    x = np.pad(x, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    height, width = (x.shape[1] - 3) // 2 + 1, (x.shape[2] - 3) // 2 + 1
    at = [(y, c) for y in range(3) for c in range(3)]
    return np.max([x[:, y:y + 2 * height - 1:2, c:c + 2 * width - 1:2] for y, c in at], axis=0)


def resnet(w, config, picture, prefix):
    act = ACTIVATIONS[config["hidden_act"]]
    x = maximum_pool(act(with_norm(w, prefix + "embedder.embedder", picture, 2)))
    for stage, depth in enumerate(config["depths"]):
        for layer in range(depth):
            at = f"{prefix}encoder.stages.{stage}.layers.{layer}"
            stride = 2 if layer == 0 and (stage or config["downsample_in_first_stage"]) else 1
            strides = [stride, 1]
            if config["layer_type"] == "bottleneck":
                strides = [stride, 1, 1] if config["downsample_in_bottleneck"] else [1, stride, 1]
            y = x
            for n, step in enumerate(strides):
                y = with_norm(w, f"{at}.layer.{n}", y, step)
                y = act(y) if n + 1 < len(strides) else y
            there = f"{at}.shortcut.convolution.weight" in w
            x = act(y + (with_norm(w, at + ".shortcut", x, stride) if there else x))
    return x.mean((1, 2))


def norm_of_channels(w, name, x):
    return np.moveaxis(norm(w, name, np.moveaxis(x, 0, -1), 1e-6), -1, 0)


def plain(w, name, x, stride):
    return convolution(x, w[name + ".weight"], stride, 0) + w[name + ".bias"][:, None, None]


def convnext(w, config, picture, prefix):
    act, second = ACTIVATIONS[config["hidden_act"]], config["model_type"] == "convnextv2"
    x = plain(w, prefix + "embeddings.patch_embeddings", picture, config["patch_size"])
    x = norm_of_channels(w, prefix + "embeddings.layernorm", x)
    for stage, depth in enumerate(config["depths"]):
        at = f"{prefix}encoder.stages.{stage}."
        if stage:
            x = plain(w, at + "downsampling_layer.1", norm_of_channels(w, at + "downsampling_layer.0", x), 2)
        for layer in range(depth):
            of = f"{at}layers.{layer}."
            y = convolution(x, w[of + "dwconv.weight"], 1, 3, groups=len(x)) + w[of + "dwconv.bias"][:, None, None]
            y = norm(w, of + "layernorm", np.moveaxis(y, 0, -1), 1e-6)
            h = act(y @ w[of + "pwconv1.weight"].T + w[of + "pwconv1.bias"])
            if second:
                size = np.sqrt((h**2).sum((0, 1), keepdims=True))
                h = w[of + "grn.weight"][0] * (h * size / (size.mean(-1, keepdims=True) + 1e-6)) + w[of + "grn.bias"][0] + h
            y = h @ w[of + "pwconv2.weight"].T + w[of + "pwconv2.bias"]
            x = x + np.moveaxis(y if second else y * w[of + "layer_scale_parameter"], -1, 0)
    return norm(w, prefix + "layernorm", x.mean((1, 2)), config["layer_norm_eps"])
