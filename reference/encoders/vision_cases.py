"""Writes `golden/vision.json`, tiny vision transformers and the features of two pictures, and `golden/tiny-clip/`, one
of them as a folder in float16.

Needs NumPy alone. A case lists the tensors of its model with shape, scale and shift (`made_up.py` says how values
follow), the content of `config.json`, the size of the pictures, and the features of each pooling.
"""

import json
import os
import struct
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import golden_json
import made_up
import vision_forward as forward

WIDTH, HIDDEN, LAYERS, PATCH, EDGE = 32, 48, 2, 8, 32


def linears(names, shape, bias=True):
    out = {}
    for name in names:
        out[name + ".weight"] = (list(shape), 0.25, 0.0)
        if bias:
            out[name + ".bias"] = ([shape[0]], 0.25, 0.0)
    return out


def norms(names):
    out = {}
    for name in names:
        out[name + ".weight"] = ([WIDTH], 0.25, 1.0)
        out[name + ".bias"] = ([WIDTH], 0.25, 0.0)
    return out


def blocks(stem, attention, output, two_norms, up, down, hidden_in=HIDDEN, hidden_out=HIDDEN, scales=()):
    out = {}
    for layer in range(LAYERS):
        at = f"{stem}{layer}."
        out |= linears([at + name for name in (*attention, output)], (WIDTH, WIDTH))
        out |= norms([at + name for name in two_norms])
        out |= linears([at + up], (hidden_in, WIDTH)) | linears([at + down], (WIDTH, hidden_out))
        out |= {at + name: ([WIDTH], 0.5, 0.75) for name in scales}
    return out


QKV = [f"attention.attention.{part}" for part in ("query", "key", "value")]


def vit_tensors(prefix="", pooler=True):
    stem = "embeddings."
    out = linears([stem + "patch_embeddings.projection"], (WIDTH, 3, PATCH, PATCH))
    out |= {stem + "cls_token": ([1, 1, WIDTH], 0.5, 0.0), stem + "position_embeddings": ([1, 17, WIDTH], 0.5, 0.0)}
    out |= blocks("encoder.layer.", QKV, "attention.output.dense", ("layernorm_before", "layernorm_after"),
                  "intermediate.dense", "output.dense")
    out |= norms(["layernorm"]) | (linears(["pooler.dense"], (WIDTH, WIDTH)) if pooler else {})
    return {prefix + name: spec for name, spec in out.items()}


def dinov2_tensors(gated=False, registers=0):
    stem = "embeddings."
    out = linears([stem + "patch_embeddings.projection"], (WIDTH, 3, PATCH, PATCH))
    out |= {stem + "cls_token": ([1, 1, WIDTH], 0.5, 0.0), stem + "position_embeddings": ([1, 17, WIDTH], 0.5, 0.0)}
    if registers:
        out[stem + "register_tokens"] = ([1, registers, WIDTH], 0.5, 0.0)
    # mlp_ratio 2: 64, of which SwiGLU keeps 42, rounded up to 48.
    up, down, wide, narrow = ("weights_in", "weights_out", 96, 48) if gated else ("fc1", "fc2", 64, 64)
    out |= blocks("encoder.layer.", QKV, "attention.output.dense", ("norm1", "norm2"), "mlp." + up, "mlp." + down,
                  wide, narrow, ("layer_scale1.lambda1", "layer_scale2.lambda1"))
    return out | norms(["layernorm"])


def tower_tensors(prefix, class_token):
    stem = prefix + "embeddings."
    out = linears([stem + "patch_embedding"], (WIDTH, 3, PATCH, PATCH), bias=not class_token)
    out[stem + "position_embedding.weight"] = ([16 + class_token, WIDTH], 0.5, 0.0)
    if class_token:
        out |= {stem + "class_embedding": ([WIDTH], 0.5, 0.0)} | norms([prefix + "pre_layrnorm"])
    attention = [f"self_attn.{part}_proj" for part in "qkv"]
    out |= blocks(prefix + "encoder.layers.", attention, "self_attn.out_proj", ("layer_norm1", "layer_norm2"),
                  "mlp.fc1", "mlp.fc2")
    return out | norms([prefix + "post_layernorm"])


def siglip_tensors(prefix):
    at = prefix + "head."
    out = tower_tensors(prefix, False) | {at + "probe": ([1, 1, WIDTH], 0.5, 0.0)}
    out |= {at + "attention.in_proj_weight": ([3 * WIDTH, WIDTH], 0.25, 0.0)}
    out |= {at + "attention.in_proj_bias": ([3 * WIDTH], 0.25, 0.0)}
    out |= linears([at + "attention.out_proj"], (WIDTH, WIDTH)) | norms([at + "layernorm"])
    return out | linears([at + "mlp.fc1"], (HIDDEN, WIDTH)) | linears([at + "mlp.fc2"], (WIDTH, HIDDEN))


def config(model_type, act, eps, **more):
    base = {"model_type": model_type, "hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": 4}
    return base | {"image_size": EDGE, "patch_size": PATCH, "hidden_act": act, "layer_norm_eps": eps} | more


def projection(width=16):
    return {"visual_projection.weight": ([width, WIDTH], 0.25, 0.0)}


def vit_rows(w, c, picture, prefix=""):
    x = forward.vit(w, c, picture, prefix)
    rows = {"model": x[0], "cls": x[0], "mean": x[1:].mean(0)}
    if prefix + "pooler.dense.weight" in w:
        rows["pooler"] = np.tanh(forward.linear(w, prefix + "pooler.dense", x[0]))
    return rows


def dinov2_rows(w, c, picture):
    x = forward.dinov2(w, c, picture)
    return {"model": x[0], "cls": x[0], "mean": x[1 + c.get("num_register_tokens", 0):].mean(0)}


def clip_rows(w, c, picture, prefix="vision_model."):
    row, projected = forward.clip(w, c.get("vision_config", c), picture, prefix)
    return {"model": row if projected is None else projected, "cls": row}


def siglip_rows(w, c, picture, prefix=""):
    x, row = forward.siglip(w, c.get("vision_config", c), picture, prefix)
    return {"model": row, "mean": x.mean(0)}


def cases():
    """Name, configuration, tensors, rows and columns of the pictures, features."""
    wide = {"intermediate_size": HIDDEN}
    square = (EDGE, EDGE)
    vit = config("vit", "gelu", 1e-12, **wide)
    clip = config("clip_vision_model", "quick_gelu", 1e-5, **wide)
    whole = {"model_type": "clip", "projection_dim": 16, "vision_config": config("clip_vision_model", "gelu", 1e-5, **wide)}
    siglip = config("siglip_vision_model", "gelu_pytorch_tanh", 1e-6, **wide)
    dino = config("dinov2", "gelu", 1e-6, mlp_ratio=2)
    swiglu = config("dinov2", "gelu", 1e-6, mlp_ratio=2, use_swiglu_ffn=True)
    registers = config("dinov2_with_registers", "gelu", 1e-6, mlp_ratio=2, num_register_tokens=3)
    return [
        ("vit", vit, vit_tensors(), square, vit_rows),
        ("vit_within", vit, vit_tensors("vit.", False), square, lambda w, c, p: vit_rows(w, c, p, "vit.")),
        ("dinov2", dino, dinov2_tensors(), square, dinov2_rows),
        ("dinov2_larger", dino, dinov2_tensors(), (44, 56), dinov2_rows),
        ("dinov2_swiglu", swiglu, dinov2_tensors(gated=True), (24, 16), dinov2_rows),
        ("dinov2_registers", registers, dinov2_tensors(registers=3), (16, 24), dinov2_rows),
        ("clip", clip, tower_tensors("vision_model.", True) | projection(), square, clip_rows),
        ("clip_alone", clip, tower_tensors("", True), square, lambda w, c, p: clip_rows(w, c, p, "")),
        ("clip_whole", whole, tower_tensors("vision_model.", True) | projection(24), square, clip_rows),
        ("siglip", siglip, siglip_tensors(""), square, siglip_rows),
        ("siglip_within", {"model_type": "siglip", "vision_config": siglip}, siglip_tensors("vision_model."), square,
         lambda w, c, p: siglip_rows(w, c, p, "vision_model.")),
    ]


def write_safetensors(path, tensors):
    """`tensors` maps names to arrays of float16."""
    header, data = {}, b""
    for name, values in tensors.items():
        part = np.ascontiguousarray(values, dtype="<f2").tobytes()
        header[name] = {"dtype": "F16", "shape": list(values.shape), "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def write_folder(folder):
    """The case `clip` as a hub client would lay it out."""
    os.makedirs(folder, exist_ok=True)
    _, config_json, tensors, _, _ = next(case for case in cases() if case[0] == "clip")
    write_safetensors(os.path.join(folder, "model.safetensors"), {k: made_up.tensor(k, *s) for k, s in tensors.items()})
    golden_json.write(os.path.join(folder, "config.json"), config_json)
    golden_json.write(os.path.join(folder, "preprocessor_config.json"), {
        "image_processor_type": "CLIPImageProcessor",
        "size": {"shortest_edge": EDGE},
        "crop_size": {"height": EDGE, "width": EDGE},
        "resample": 3,
    })


def main():
    written = []
    for name, config_json, tensors, size, rows in cases():
        weights = {key: made_up.tensor(key, *spec) for key, spec in tensors.items()}
        pictures = [f"{name}/picture/{n}" for n in range(2)]
        found = [rows(weights, config_json, made_up.tensor(key, [3, *size], 2.0)) for key in pictures]
        features = {pooling: [row[pooling] for row in found] for pooling in found[0]}
        written.append({
            "name": name,
            "config": config_json,
            "size": list(size),
            "tensors": [{"name": k, "shape": s[0], "scale": s[1], "shift": s[2]} for k, s in tensors.items()],
            "pictures": pictures,
            "features": features,
        })
    golden = os.path.join(os.path.dirname(HERE), "golden")
    golden_json.write(os.path.join(golden, "vision.json"), {"cases": written})
    write_folder(os.path.join(golden, "tiny-clip"))


if __name__ == "__main__":
    main()
