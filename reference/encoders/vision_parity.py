"""Compares `equipoise features image` with `transformers`, on the same pictures and weights.

    HF_HUB_OFFLINE=1 python vision_parity.py --program target/release/equipoise --work /some/folder

Models of real size with random weights: no download. Half of the pictures are PNG, which every decoder reads alike,
half JPEG, which decoders round differently. Differences are divided by the largest feature. Both sides read, decode and
encode, with two threads; of `--rounds` times each the median is printed. The program may also be the example `images` of
the crate `equipoise-encode`.
"""

import argparse
import json
import os
import statistics
import subprocess
import time

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
import transformers
from PIL import Image
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil


def picture(rng, width, height):
    """Smooth colours, an edge and some noise."""
    small = Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)).resize((width, height), 3)
    values = np.asarray(small, dtype=float) + rng.normal(0, 6, (height, width, 3))
    values[:, : width // 3] *= 0.6
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def write_data(work, count):
    """A data set of `count` items, with pictures of the sizes that shops have."""
    data, images = os.path.join(work, "data"), os.path.join(work, "images")
    os.makedirs(data, exist_ok=True)
    os.makedirs(images, exist_ok=True)
    rng = np.random.default_rng(7)
    files = []
    for n in range(count):
        ending = "png" if n % 2 else "jpg"
        files.append(os.path.join(images, f"item{n}.{ending}"))
        width, height = (500, int(rng.integers(280, 501))) if n % 3 else (int(rng.integers(280, 501)), 500)
        picture(rng, width, height).save(files[-1], **({} if n % 2 else {"quality": 90}))
    content = {"train": {"0": list(range(count))}, "val": {"0": []}, "test": {"0": []}}
    for name, value in content.items():
        with open(os.path.join(data, name + ".json"), "w") as file:
            json.dump(value, file)
    with open(os.path.join(data, "item_list.txt"), "w") as file:
        file.writelines(f"item{n}\t{n}\n" for n in range(count))
    return data, images, files


def models():
    """Name, model, processor, and what row is compared."""
    torch.manual_seed(1)
    vit = transformers.ViTModel(transformers.ViTConfig(), add_pooling_layer=False)
    yield "ViT-B/16", vit, ViTImageProcessorPil(), lambda out: out.last_hidden_state[:, 0]
    clip = transformers.CLIPVisionModelWithProjection(transformers.CLIPVisionConfig())
    yield "CLIP ViT-B/32", clip, CLIPImageProcessorPil(), lambda out: out.image_embeds
    small = transformers.Dinov2Config(hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14)
    processor = BitImageProcessorPil(size={"shortest_edge": 256})
    yield "DINOv2-small", transformers.Dinov2Model(small), processor, lambda out: out.last_hidden_state[:, 0]
    middle = ConvNextImageProcessorPil(size={"shortest_edge": 224})
    pooled = lambda out: out.pooler_output.reshape(len(out.pooler_output), -1)
    yield "ResNet-50", shaken(transformers.ResNetModel(transformers.ResNetConfig())), middle, pooled
    yield "ConvNeXt-tiny", shaken(transformers.ConvNextModel(transformers.ConvNextConfig())), middle, pooled
    yield "ConvNeXt V2-tiny", shaken(transformers.ConvNextV2Model(transformers.ConvNextV2Config())), middle, pooled


def shaken(model):
    """Norms, factors and statistics as after training: a fresh model has zeros and ones there."""
    with torch.no_grad():
        for name, value in [*model.named_parameters(), *model.named_buffers()]:
            if "scale" in name or "grn" in name:
                value.uniform_(0.1, 0.9)
            elif value.dim() == 1 and value.is_floating_point():
                value.add_(torch.rand_like(value) * 0.2)
    return model


def theirs(model, processor, row, files, batch):
    """Features and seconds, reading included."""
    start, rows = time.perf_counter(), []
    with torch.inference_mode():
        for first in range(0, len(files), batch):
            pictures = [Image.open(file).convert("RGB") for file in files[first:first + batch]]
            rows.append(row(model(pixel_values=torch.from_numpy(np.stack(
                processor(images=pictures, return_tensors="np")["pixel_values"])))).numpy())
    return np.concatenate(rows), time.perf_counter() - start


def ours(program, data, images, folder, out):
    """Features and seconds as the program reports them: reading included, loading of the model not."""
    if os.path.basename(program) == "images":
        command = [program, data, images, folder, out]
    else:
        command = [program, "features", "image", "--data", data, "--images", images, "--model", folder, "--out", out,
                   "--overwrite", "--quiet"]
    for old in ("image_feat.npy", "image_encoder.json"):
        if os.path.exists(os.path.join(out, old)):
            os.remove(os.path.join(out, old))
    environment = os.environ | {"RAYON_NUM_THREADS": "2"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    with open(os.path.join(out, "image_encoder.json")) as file:
        seconds = json.load(file)["seconds"]
    return np.load(os.path.join(out, "image_feat.npy")), seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--pictures", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(2)
    data, images, files = write_data(options.work, options.pictures)
    print("| model | largest difference, PNG | JPEG | least cosine | pictures/s | transformers | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name, model, processor, row in models():
        folder = os.path.join(options.work, name.replace("/", "-").replace(" ", "-"))
        model.eval().save_pretrained(folder)
        processor.save_pretrained(folder)
        theirs(model, processor, row, files[:options.batch], options.batch)
        mine, yours = [], []
        for _ in range(options.rounds):
            found, seconds = ours(options.program, data, images, folder, os.path.join(options.work, "out"))
            mine.append(seconds)
            expected, seconds = theirs(model, processor, row, files, options.batch)
            yours.append(seconds)
        far = np.abs(found - expected).max(1)
        cosine = (found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
        a, b = (options.pictures / statistics.median(times) for times in (mine, yours))
        scale = np.abs(expected).max()
        print(f"| {name} | {far[1::2].max() / scale:.1e} | {far[::2].max() / scale:.1e} | {cosine.min():.7f} | {a:.1f} | "
              f"{b:.1f} | {a / b:.2f} |", flush=True)


if __name__ == "__main__":
    main()
