"""Writes one sound in the formats that `features audio` reads, to ../golden/sounds.

    pip install av soundfile
    python sounds.py

Needs PyAV and soundfile, which bring the encoders of ffmpeg, Vorbis and Opus. The sound lasts 1.2 seconds, 32,000 samples a second, one channel: triangles of 320, 64
and 20 samples (100, 500 and 1600 Hz), the last in the second half alone.
"""

from pathlib import Path

import av
import numpy as np
import soundfile

OUT = Path(__file__).resolve().parent.parent / "golden" / "sounds"

RATE, SAMPLES = 32_000, 38_400
# File, codec, bits per second, sample format.
FORMATS = [
    ("sound.flac", "flac", None, "s16"),
    ("sound.mp3", "libmp3lame", 48_000, "s16p"),
    ("untold.mp3", "libmp3lame", 48_000, "s16p"),
    ("sound.m4a", "aac", 48_000, "fltp"),
    ("sound.aac", "aac", 48_000, "fltp"),
]


def sound():
    """Whole numbers of 16 bits, of which the lower 8 are 0."""
    n = np.arange(SAMPLES)

    def triangle(period, height, begin=0):
        return np.where(n >= begin, height * (4.0 * np.abs((n % period) / period - 0.5) - 1.0), 0.0)

    x = triangle(320, 0.25) + triangle(64, 0.25) + triangle(20, 0.125, SAMPLES // 2)
    return (256.0 * np.floor(x * 127.0)).astype(np.int16)


def write(name, codec, bits, layout):
    """The sound in one format, without what changes from day to day."""
    options = {"fflags": "+bitexact", "flags": "+bitexact"}
    if name == "untold.mp3":
        options |= {"write_xing": "0", "id3v2_version": "0"}
    with av.open(str(OUT / name), "w", container_options=options) as out:
        stream = out.add_stream(codec, rate=RATE, layout="mono", options={"flags": "+bitexact"})
        if bits:
            stream.bit_rate = bits
        stream.format = layout
        resampler = av.AudioResampler(format=layout, layout="mono", rate=RATE)
        frame = av.AudioFrame.from_ndarray(sound()[None, :], format="s16", layout="mono")
        frame.rate = RATE
        for part in resampler.resample(frame):
            part.pts = None
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))


def main():
    OUT.mkdir(exist_ok=True)
    for entry in FORMATS:
        write(*entry)
    soundfile.write(OUT / "sound.ogg", sound(), RATE, subtype="VORBIS")
    soundfile.write(OUT / "opus.ogg", np.repeat(sound()[::8], 3), 12_000, subtype="OPUS")


if __name__ == "__main__":
    main()
