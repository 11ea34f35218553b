"""Writes `golden/pictures.json`, small picture files, what Pillow makes of them and what image processors do, and
`golden/pictures/`, a few of the files themselves.

Needs Pillow, NumPy and `transformers` (for its processors without torchvision); no network. Files and pixels are
base64. `files[]`: `{name, file, width, height, rgb, exact}`, `rgb` being Pillow's `exif_transpose` and
`convert("RGB")` and `exact` false for lossy formats, whose decoders may differ by rounding. `resizes[]`: the source's
`rgb` resized to other sizes with each filter. `processors[]`: `{name, config, rgb, height, width, output}`, `output`
the float32 planes.
"""

import base64
import io
import json
import os
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
os.environ["HF_HUB_OFFLINE"] = "1"

import golden_json


def b64(data):
    return base64.b64encode(data).decode()


def scene(width, height, channels=3):
    """Smooth waves with a hard edge and a little noise: nothing that a wrong filter would leave alone."""
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for c in range(channels):
        wave = 128 + 90 * np.sin(x / (2.5 + c) + c) * np.cos(y / (3.5 - c / 2))
        wave = np.where(x * height > y * width, wave, 255 - wave) + (x * 7 + y * 13 + c * 5) % 11 - 5
        planes.append(np.clip(wave, 0, 255))
    return np.stack(planes, -1).astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_png(width, height, depth, colour, rows, more=b""):
    """A PNG of rows of bytes, for the kinds that Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = b"".join(b"\0" + row for row in rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")


def saved(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def packed(values, bits):
    """Rows of values of so many bits as bytes."""
    rows = []
    for row in values:
        text = "".join(format(int(v), f"0{bits}b") for v in row)
        text += "0" * (-len(text) % 8)
        rows.append(int(text, 2).to_bytes(len(text) // 8, "big"))
    return rows


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data


def files():
    width, height = 23, 17
    rgb = Image.fromarray(scene(width, height))
    grey, alpha = rgb.convert("L"), Image.fromarray(scene(width, height)[:, :, 1])
    rgba = Image.merge("RGBA", (*rgb.split(), alpha))
    palette = rgb.quantize(16)
    wide = scene(width, height).astype(np.uint16) * 251 + 77
    exact = [
        ("rgb.png", saved(rgb, "PNG")),
        ("grey.png", saved(grey, "PNG")),
        ("grey_alpha.png", saved(Image.merge("LA", (grey, alpha)), "PNG")),
        ("rgba.png", saved(rgba, "PNG")),
        ("palette.png", saved(palette, "PNG")),
        ("palette_transparent.png", saved(palette, "PNG", transparency=3)),
        ("one_bit.png", saved(grey.convert("1"), "PNG")),
        ("two_bits.png", raw_png(width, height, 2, 0, packed(np.array(grey) >> 6, 2))),
        ("four_bits.png", raw_png(width, height, 4, 0, packed(np.array(grey) >> 4, 4))),
        ("rgb_16.png", raw_png(width, height, 16, 2, [row.astype(">u2").tobytes() for row in wide])),
        ("rgb_turned.png", saved(rgb, "PNG", exif=exif(6))),
        ("lossless.webp", saved(rgb, "WEBP", lossless=True)),
        ("lossless_alpha.webp", saved(rgba, "WEBP", lossless=True, exact=True)),
        ("lossless_turned.webp", saved(rgb, "WEBP", lossless=True, exif=exif(8))),
    ]
    lossy = [
        ("plain.jpg", saved(rgb, "JPEG", quality=90, subsampling=0)),
        ("half_colour.jpg", saved(rgb, "JPEG", quality=85, subsampling=2)),
        ("progressive.jpg", saved(rgb, "JPEG", quality=85, progressive=True, subsampling=1)),
        ("grey.jpg", saved(grey, "JPEG", quality=90)),
        ("cmyk.jpg", saved(rgb.convert("CMYK"), "JPEG", quality=95)),
        ("restarts.jpg", saved(rgb, "JPEG", quality=85, restart_marker_blocks=1)),
        ("lossy.webp", saved(rgb, "WEBP", quality=85)),
        ("lossy_alpha.webp", saved(rgba, "WEBP", quality=85, exact=True)),
        ("animated.webp", saved(rgb, "WEBP", lossless=True, save_all=True, append_images=[grey.convert("RGB")])),
    ]
    lossy += [(f"turned_{o}.jpg", saved(rgb, "JPEG", quality=90, subsampling=0, exif=exif(o))) for o in range(1, 9)]
    for name, data in [(n, d) for n, d in exact] + lossy:
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
        yield {"name": name, "file": b64(data), "width": image.width, "height": image.height,
               "rgb": b64(image.tobytes()), "exact": name in dict(exact)}


def resizes():
    """Shrinking, growing, one direction alone, by each of Pillow's filters."""
    image = Image.fromarray(scene(37, 29))
    for resample in range(6):
        for width, height in [(16, 12), (50, 41), (37, 11), (9, 29), (1, 1), (50, 11), (9, 41), (36, 20), (30, 20)]:
            out = image.resize((width, height), resample=resample)
            yield {"resample": resample, "width": width, "height": height, "rgb": b64(out.tobytes())}


def processors():
    from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    small = {"height": 16, "width": 16}
    cases = [
        ("clip_wide", CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size=small), (41, 23)),
        ("clip_tall", CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size=small), (15, 40)),
        ("clip_square", CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size=small), (16, 16)),
        ("vit", ViTImageProcessorPil(size={"height": 14, "width": 18}), (31, 20)),
        ("siglip", SiglipImageProcessorPil(size=small), (12, 33)),
        ("dinov2", BitImageProcessorPil(size={"shortest_edge": 19}, crop_size={"height": 14, "width": 14}), (40, 27)),
        ("crop_larger", BitImageProcessorPil(size={"shortest_edge": 9}, crop_size={"height": 14, "width": 12}), (20, 27)),
        ("plain", ViTImageProcessorPil(size=small, do_normalize=False, do_rescale=False, resample=3), (20, 27)),
    ]
    for name, processor, (width, height) in cases:
        picture = scene(width, height)
        output = processor(images=Image.fromarray(picture), return_tensors="np")["pixel_values"][0]
        yield {"name": name, "config": json.loads(processor.to_json_string()), "width": width, "height": height,
               "rgb": b64(picture.tobytes()), "output_height": output.shape[1], "output_width": output.shape[2],
               "output": b64(np.ascontiguousarray(output, dtype="<f4").tobytes())}


def main():
    content = {"files": list(files()), "source": {"width": 37, "height": 29, "rgb": b64(scene(37, 29).tobytes())},
               "resizes": list(resizes()), "processors": list(processors())}
    golden = os.path.join(os.path.dirname(HERE), "golden")
    golden_json.write(os.path.join(golden, "pictures.json"), content)
    os.makedirs(os.path.join(golden, "pictures"), exist_ok=True)
    for entry in content["files"]:
        if entry["name"] in ("rgb.png", "rgba.png", "half_colour.jpg", "progressive.jpg", "lossy.webp", "one_bit.png"):
            with open(os.path.join(golden, "pictures", entry["name"]), "wb") as file:
                file.write(base64.b64decode(entry["file"]))


if __name__ == "__main__":
    main()
