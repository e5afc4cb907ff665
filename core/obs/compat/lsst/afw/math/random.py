"""Random numbers and images of them, in the stack's words."""

from typing import Any

import numpy as np

from obs.compat.lsst.afw.image.image import Image

__all__ = [
    "Random",
    "randomGaussianImage",
    "randomPoissonImage",
    "randomUniformImage",
    "randomUniformIntImage",
    "randomUniformPosImage",
]

_RANGE = float(1 << 32)


class Random:
    """A source of random numbers, as in the LSST stack.

    Uniform numbers are the stack's own, of the Mersenne twister with the same seed; others have the same distribution,
    but come from other formulas.

    Parameters
    ----------
    algorithm : str, optional
        ``MT19937``, the default of the stack.
    seed : int, optional
        The seed.

    Raises
    ------
    ValueError
        If it is another algorithm, or the seed is 0.
    """

    MT19937 = "MT19937"

    def __init__(self, algorithm: str = MT19937, seed: int = 1) -> None:
        if algorithm != self.MT19937:
            raise ValueError(f"random numbers come from {self.MT19937} here, not from {algorithm!r}")
        if seed <= 0:
            raise ValueError(f"the seed of random numbers is a positive number, got {seed}")
        self._seed = seed
        self._bits = np.random.MT19937()
        # seeded with one number, as the stack is; the constructor would mix it
        state: Any = np.random.RandomState(seed).get_state(legacy=False)
        self._bits.state = state
        #: The generator of numpy.
        self.own = np.random.Generator(self._bits)

    def getAlgorithmName(self) -> str:
        """Return the name of the algorithm."""
        return self.MT19937

    def getSeed(self) -> int:
        """Return the seed, as in the LSST stack."""
        return self._seed

    def uniforms(self, size: Any = None) -> Any:  # noqa: ANN401 - a number or an array
        """Return numbers of 0 to below 1; an array with a shape."""
        count = 1 if size is None else int(np.prod(size))
        drawn = self._bits.random_raw(count) / _RANGE
        return float(drawn[0]) if size is None else drawn.reshape(size)

    def uniform(self) -> float:
        """Return a number of 0 to below 1."""
        return float(self.uniforms())

    def uniformPos(self) -> float:
        """Return a number between 0 and 1, never 0."""
        while not (value := self.uniform()):
            pass
        return value

    def uniformInt(self, n: int) -> int:
        """Return a whole number of 0 to below a limit."""
        return int(self.uniform() * n)

    def flat(self, a: float, b: float) -> float:
        """Return a number of one limit to below another."""
        return a + (b - a) * self.uniform()

    def gaussian(self) -> float:
        """Return a number of a Gaussian with a standard deviation of 1."""
        return float(self.own.standard_normal())

    def chisq(self, nu: float) -> float:
        """Return a number of the chi-squared distribution with so many degrees of freedom."""
        return float(self.own.chisquare(nu))

    def poisson(self, mu: float) -> float:
        """Return a number of the Poisson distribution with a mean."""
        return float(self.own.poisson(mu))


def randomUniformImage(image: Image, rand: Random) -> None:
    """Fill an image with numbers of 0 to below 1."""
    image.getArray()[...] = rand.uniforms(image.getArray().shape)


def randomUniformPosImage(image: Image, rand: Random) -> None:
    """Fill an image with numbers between 0 and 1, never 0."""
    image.getArray()[...] = 1.0 - rand.uniforms(image.getArray().shape)


def randomUniformIntImage(image: Image, rand: Random, n: int) -> None:
    """Fill an image with whole numbers of 0 to below a limit."""
    image.getArray()[...] = np.floor(rand.uniforms(image.getArray().shape) * n)


def randomGaussianImage(image: Image, rand: Random) -> None:
    """Fill an image with numbers of a Gaussian with a standard deviation of 1."""
    image.getArray()[...] = rand.own.standard_normal(image.getArray().shape)


def randomPoissonImage(image: Image, rand: Random, mu: float) -> None:
    """Fill an image with numbers of the Poisson distribution with a mean."""
    image.getArray()[...] = rand.own.poisson(mu, image.getArray().shape)
