"""Writes `golden/whisper.json`, tiny Whisper encoders and the rows of some sounds, from the equations, and
`golden/tiny-whisper/`, one as a folder in float16.

    python whisper_cases.py            # needs NumPy alone
    python whisper_cases.py --check    # compares spectrograms with the feature extractor of transformers, which must be installed

A case lists the tensors of its model with shape, scale and shift (`made_up.py` says how values follow), `config.json`, and the row of
each sound: the mean of the encoder's outputs over the frames that the sound covers. Sounds are those of `audio_cases.py`.
"""

import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import audio_cases
import golden_json
import made_up
import vision_forward as forward
from vision_cases import write_safetensors

RATE, WINDOW, HOP = 16_000, 400, 160


def hertz_to_mel(f):
    """Slaney's: linear below 1000 Hz, then 27 steps for each factor of 6.4."""
    return np.where(f < 1000.0, 3.0 * f / 200.0, 15.0 + 27.0 * np.log(np.maximum(f, 1000.0) / 1000.0) / np.log(6.4))


def mel_to_hertz(m):
    return np.where(m < 15.0, 200.0 * m / 3.0, 1000.0 * np.exp(np.log(6.4) * (m - 15.0) / 27.0))


def filters(bands):
    """[bands, bins], each triangle of area 1."""
    borders = mel_to_hertz(np.linspace(0.0, float(hertz_to_mel(np.array(8000.0))), bands + 2))
    bins = np.fft.rfftfreq(WINDOW, 1.0 / RATE)
    rows = []
    for left, middle, right in zip(borders, borders[1:], borders[2:]):
        rows.append(np.interp(bins, [left, middle, right], [0.0, 1.0, 0.0]) * 2.0 / (right - left))
    return np.array(rows)


def spectrogram(x, bands):
    """[bands, frames] of a sound of a whole number of hops."""
    padded = np.pad(x, WINDOW // 2, mode="reflect")
    parts = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][: len(x) // HOP]
    power = np.abs(np.fft.rfft(parts * np.hanning(WINDOW + 1)[:-1])) ** 2
    levels = np.log10(np.maximum(power @ filters(bands).T, 1e-10)).T
    return (np.maximum(levels, levels.max() - 8.0) + 4.0) / 4.0


def convolution(weights, name, x, stride):
    """Of rows of time [frames, channels], with a kernel of 3 and a row of zeros on either side."""
    padded = np.pad(x, ((1, 1), (0, 0)))
    kernel = weights[name + ".weight"]
    rows = [np.einsum("oik,ki->o", kernel, padded[t:t + 3]) for t in range(0, len(x), stride)]
    return np.array(rows) + weights[name + ".bias"]


def encoder(weights, config, mel, prefix):
    """[positions, width]."""
    weights = {name.removeprefix(prefix): value for name, value in weights.items()}
    activation = forward.ACTIVATIONS[config["activation_function"]]
    x = activation(convolution(weights, "conv1", mel.T, 1))
    x = activation(convolution(weights, "conv2", x, 2)) + weights["embed_positions.weight"]
    for layer in range(config["encoder_layers"]):
        at = f"layers.{layer}."
        names = {"norm1": at + "self_attn_layer_norm", "norm2": at + "final_layer_norm", "q": at + "self_attn.q_proj",
                 "k": at + "self_attn.k_proj", "v": at + "self_attn.v_proj", "o": at + "self_attn.out_proj"}

        def mlp(rows):
            return forward.linear(weights, at + "fc2", activation(forward.linear(weights, at + "fc1", rows)))

        x = forward.block(weights, x, config["encoder_attention_heads"], 1e-5, names, mlp)
    return forward.norm(weights, "layer_norm", x, 1e-5)


def row(weights, config, x, prefix):
    """The mean over the frames of all windows that the sound covers: those that begin in it."""
    positions = config["max_source_positions"]
    size = positions * 2 * HOP
    rows = []
    for start in range(0, len(x), size):
        part = x[start:start + size]
        mel = spectrogram(np.pad(part, (0, size - len(part))), config["num_mel_bins"])
        covered = -(-len(part) // (2 * HOP))
        rows.append(encoder(weights, config, mel, prefix)[:covered])
    return np.concatenate(rows).mean(axis=0)


def tensors(prefix, config):
    width, hidden, bands = config["d_model"], config["encoder_ffn_dim"], config["num_mel_bins"]
    out = {}

    def linear(name, shape, bias=True):
        out[prefix + name + ".weight"] = (list(shape), 0.25, 0.0)
        if bias:
            out[prefix + name + ".bias"] = ([shape[0]], 0.25, 0.0)

    def norm(name):
        out[prefix + name + ".weight"] = ([width], 0.25, 1.0)
        out[prefix + name + ".bias"] = ([width], 0.25, 0.0)

    linear("conv1", (width, bands, 3))
    linear("conv2", (width, width, 3))
    out[prefix + "embed_positions.weight"] = ([config["max_source_positions"], width], 0.5, 0.0)
    for layer in range(config["encoder_layers"]):
        at = f"layers.{layer}."
        for part in ("q_proj", "v_proj", "out_proj"):
            linear(f"{at}self_attn.{part}", (width, width))
        linear(f"{at}self_attn.k_proj", (width, width), bias=False)
        linear(at + "fc1", (hidden, width))
        linear(at + "fc2", (width, hidden))
        norm(at + "self_attn_layer_norm")
        norm(at + "final_layer_norm")
    norm("layer_norm")
    return out


def cases():
    base = {"model_type": "whisper", "d_model": 32, "encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 48,
            "num_mel_bins": 80, "max_source_positions": 50, "activation_function": "gelu", "scale_embedding": False}
    return [
        ("whole", base, "model.encoder."),
        ("encoder alone", {**base, "num_mel_bins": 128, "encoder_layers": 1, "max_source_positions": 75}, "encoder."),
    ]


def write_folder(folder):
    """A smaller one as a hub client would lay it out."""
    config = {**cases()[0][1], "num_mel_bins": 16, "encoder_layers": 1}
    os.makedirs(folder, exist_ok=True)
    weights = {k: made_up.tensor(k, *s) for k, s in tensors("model.encoder.", config).items()}
    write_safetensors(os.path.join(folder, "model.safetensors"), weights)
    golden_json.write(os.path.join(folder, "config.json"), config)
    golden_json.write(os.path.join(folder, "preprocessor_config.json"), {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": 16, "hop_length": HOP, "n_fft": WINDOW, "sampling_rate": RATE,
    })


def check():
    from transformers import WhisperFeatureExtractor

    for bands in (80, 128):
        extractor = WhisperFeatureExtractor(feature_size=bands)
        for case in audio_cases.CASES:
            x = audio_cases.sound(case) / 32768.0
            theirs = extractor(x, sampling_rate=RATE, return_tensors="np").input_features[0]
            ours = spectrogram(np.pad(x, (0, 480_000 - len(x))), bands)
            print(bands, case["name"], "largest difference", np.abs(theirs - ours).max())


def main():
    written = []
    for name, config, prefix in cases():
        specs = tensors(prefix, config)
        weights = {key: made_up.tensor(key, *spec) for key, spec in specs.items()}
        rows = [
            {"sound": case["name"], "row": row(weights, config, audio_cases.sound(case) / 32768.0, prefix).tolist()}
            for case in audio_cases.CASES
        ]
        written.append({
            "name": name,
            "config": config,
            "tensors": [{"name": k, "shape": s[0], "scale": s[1], "shift": s[2]} for k, s in specs.items()],
            "rows": rows,
        })
    golden = os.path.join(os.path.dirname(HERE), "golden")
    golden_json.write(os.path.join(golden, "whisper.json"), {"cases": written})
    write_folder(os.path.join(golden, "tiny-whisper"))


if __name__ == "__main__":
    check() if "--check" in sys.argv else main()
