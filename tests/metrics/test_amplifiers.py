"""Amplifiers that see no light, as a whole or in a part."""

import numpy as np
import pytest

from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.metrics.amplifiers import measure_amplifiers, measure_overscan
from obs.metrics.measured import Measured

SHAPE = (400, 300)
AMPLIFIERS = (("A", Box(0, 0, 150, 400)), ("B", Box(150, 0, 150, 400)))


def measured(dark=None, amplifiers=AMPLIFIERS):
    """Return metrics of a sky with a noise of 20, and of 5 where it is dark."""
    sigma = np.full(SHAPE, 20.0)
    if dark is not None:
        sigma[dark] = 5.0
    image = np.random.default_rng(1).normal(0.0, sigma).astype(np.float32)
    out = Measured()
    measure_amplifiers(out, Exposure(MaskedImage(image, variance=np.full(SHAPE, 400.0, np.float32))), amplifiers)
    return out


def test_amplifiers_with_light_are_alive():
    out = measured()
    assert out.values["amp_dead"] == 0
    assert out.values["sky_noise"] == pytest.approx(20.0, rel=0.03)
    assert set(out.details) == {"amplifiers"}


def test_a_dead_amplifier_is_named():
    out = measured(np.s_[:, 150:])
    assert out.values["amp_dead"] == 1
    assert out.details["dead_amplifiers"] == ["B"]


@pytest.mark.parametrize("amplifiers", [AMPLIFIERS, (("B", Box(0, 0, 300, 400)),)])
def test_a_dark_half_is_half_an_amplifier(amplifiers):
    out = measured(np.s_[:200, 300 - amplifiers[-1][1].width :], amplifiers)
    assert out.values["amp_dead"] == 0.5
    assert out.details["dark_parts"] == {"B": 0.5}


def test_most_of_an_amplifier_is_not_all_of_it():
    out = measured(np.s_[:250, 150:])
    assert out.details["dark_parts"] == {"B": 0.625}
    assert "dead_amplifiers" not in out.details


@pytest.mark.parametrize(
    ("sources", "sky", "gain"),
    [
        (("camera", "camera"), 1.75, 1.75),
        (("camera", "assumed"), 1.25, 1.5),
        (("assumed", "assumed"), 1.0, None),
        (("assumed", "assumed"), 3.2, 3.2),
    ],
)
def test_an_assumed_gain_is_not_told(sources, sky, gain):
    """`sky` is GAIN, which is the mean of the amplifiers until the noise of the sky gives another."""
    gains = [1.0 if source == "assumed" else 1.5 + 0.5 * k for k, source in enumerate(sources)]
    cards = {f"ISR_GAIN{name}": value for name, value in zip("AB", gains, strict=True)}
    cards |= {f"ISR_GAIN_SOURCE{name}": source for name, source in zip("AB", sources, strict=True)}
    exposure = Exposure(MaskedImage(np.zeros((2, 2), np.float32)), metadata=cards | {"GAIN": sky})
    out = Measured()
    measure_overscan(out, exposure)
    assert out.details.get("gain") == gain
