"""Writes `golden/convolution.json`: tiny convolutional networks and the features of two pictures. Needs NumPy alone."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import convolution_forward as forward
import golden_json
import made_up


def with_norm(name, outputs, inputs, size):
    of = name + ".normalization."
    return {
        name + ".convolution.weight": ([outputs, inputs, size, size], 0.5 / size, 0.0),
        of + "weight": ([outputs], 0.25, 1.0), of + "bias": ([outputs], 0.25, 0.0),
        of + "running_mean": ([outputs], 0.25, 0.0), of + "running_var": ([outputs], 0.5, 1.0),
    }


def resnet_tensors(config, prefix=""):
    inputs = config["embedding_size"]
    out = with_norm(prefix + "embedder.embedder", inputs, 3, 7)
    for stage, (outputs, depth) in enumerate(zip(config["hidden_sizes"], config["depths"])):
        for layer in range(depth):
            at = f"{prefix}encoder.stages.{stage}.layers.{layer}"
            first = layer == 0 and (stage or config["downsample_in_first_stage"])
            shapes = [(outputs, inputs, 3), (outputs, outputs, 3)]
            if config["layer_type"] == "bottleneck":
                narrow = outputs // 4
                shapes = [(narrow, inputs, 1), (narrow, narrow, 3), (outputs, narrow, 1)]
            for n, shape in enumerate(shapes):
                out |= with_norm(f"{at}.layer.{n}", *shape)
            if first or inputs != outputs:
                out |= with_norm(at + ".shortcut", outputs, inputs, 1)
            inputs = outputs
    return out


def linear(name, outputs, inputs, *window):
    return {name + ".weight": ([outputs, inputs, *window], 0.25, 0.0), name + ".bias": ([outputs], 0.25, 0.0)}


def norm(name, width):
    return {name + ".weight": ([width], 0.25, 1.0), name + ".bias": ([width], 0.25, 0.0)}


def convnext_tensors(config, prefix=""):
    sizes, patch = config["hidden_sizes"], config["patch_size"]
    out = linear(prefix + "embeddings.patch_embeddings", sizes[0], 3, patch, patch)
    out |= norm(prefix + "embeddings.layernorm", sizes[0]) | norm(prefix + "layernorm", sizes[-1])
    for stage, (width, depth) in enumerate(zip(sizes, config["depths"])):
        at = f"{prefix}encoder.stages.{stage}."
        if stage:
            out |= norm(at + "downsampling_layer.0", sizes[stage - 1])
            out |= linear(at + "downsampling_layer.1", width, sizes[stage - 1], 2, 2)
        for layer in range(depth):
            of = f"{at}layers.{layer}."
            out |= linear(of + "dwconv", width, 1, 7, 7) | norm(of + "layernorm", width)
            out |= linear(of + "pwconv1", 4 * width, width) | linear(of + "pwconv2", width, 4 * width)
            if config["model_type"] == "convnextv2":
                out |= {of + "grn." + part: ([1, 1, 1, 4 * width], 0.5, 0.25) for part in ("weight", "bias")}
            else:
                out[of + "layer_scale_parameter"] = ([width], 0.5, 0.75)
    return out


RESNET = {"model_type": "resnet", "num_channels": 3, "embedding_size": 6, "hidden_sizes": [8, 12], "depths": [2, 1],
          "layer_type": "bottleneck", "hidden_act": "relu", "downsample_in_first_stage": False, "downsample_in_bottleneck": False}
CONVNEXT = {"model_type": "convnext", "num_channels": 3, "patch_size": 4, "hidden_sizes": [6, 8], "depths": [1, 2],
            "hidden_act": "gelu", "layer_norm_eps": 1e-12}


def main():
    basic = RESNET | {"layer_type": "basic", "downsample_in_first_stage": True}
    early = RESNET | {"downsample_in_bottleneck": True}
    second = CONVNEXT | {"model_type": "convnextv2"}
    cases = [
        ("resnet", RESNET, resnet_tensors(RESNET), (24, 21), forward.resnet, ""),
        ("resnet_basic", basic, resnet_tensors(basic, "resnet."), (32, 24), forward.resnet, "resnet."),
        ("resnet_early", early, resnet_tensors(early), (16, 24), forward.resnet, ""),
        ("convnext", CONVNEXT, convnext_tensors(CONVNEXT), (24, 33), forward.convnext, ""),
        ("convnext_within", CONVNEXT, convnext_tensors(CONVNEXT, "convnext."), (16, 24), forward.convnext, "convnext."),
        ("convnextv2", second, convnext_tensors(second, "convnextv2."), (24, 16), forward.convnext, "convnextv2."),
    ]
    written = []
    for name, config, tensors, size, rows, prefix in cases:
        weights = {key: made_up.tensor(key, *spec) for key, spec in tensors.items()}
        pictures = [f"{name}/picture/{n}" for n in range(2)]
        features = [rows(weights, config, made_up.tensor(key, [3, *size], 2.0), prefix) for key in pictures]
        written.append({
            "name": name, "config": config, "size": list(size),
            "tensors": [{"name": k, "shape": s[0], "scale": s[1], "shift": s[2]} for k, s in tensors.items()],
            "pictures": pictures, "features": features,
        })
    golden_json.write(os.path.join(os.path.dirname(HERE), "golden", "convolution.json"), {"cases": written})


if __name__ == "__main__":
    main()
