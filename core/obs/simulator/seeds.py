"""Random numbers that depend on what they are for, and on nothing else."""

import zlib

import numpy as np

__all__ = ["generator"]


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """Return the random numbers for one purpose.

    The same seed and purpose give the same numbers whatever else is simulated, in whichever order and process.

    Parameters
    ----------
    seed : int
        Seed of the whole simulation.
    *purpose : str or int
        What the numbers are for, such as ``"noise", 12, 49``.
    """
    words = [zlib.crc32(word.encode()) if isinstance(word, str) else word & 0xFFFFFFFFFFFFFFFF for word in purpose]
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, *words])))
