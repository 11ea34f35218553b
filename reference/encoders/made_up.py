"""Tensors that both sides can make: value k of a tensor depends on its name and on k alone.

n = the upper 16 bits of splitmix64(fnv1a(name) + k * 0x9E3779B97F4A7C15), value = shift + scale * (n / 32768 - 1).
With a scale that is a power of 2 every value is exact in float32.
"""

import numpy as np

MASK = (1 << 64) - 1


def fnv1a(name):
    """64-bit FNV-1a hash of the name's bytes."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def tensor(name, shape, scale, shift=0.0):
    """The tensor, float64."""
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        state = np.uint64(fnv1a(name)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    high = (state >> np.uint64(48)).astype(np.float64)
    return (shift + scale * (high / 32768.0 - 1.0)).reshape(shape)
