"""Kernels between PSFs: fluxes with noisy sources, and noise with models that have none."""

import numpy as np
import pytest

from obs.algorithms.coadd.matching_kernel import KernelBasis, fit_matching_kernel
from obs.coadds.psf_matching import gaussian_model, kernel_to_model
from obs.geom import Box
from obs.image.psf import PixelPsf

HALF, SKY = 24, 40.0


def gaussian(sigma, half):
    offset = np.arange(-half, half + 1)
    stamp = np.exp(-(offset[:, None] ** 2 + offset**2) / (2 * sigma**2))
    return stamp / stamp.sum()


@pytest.mark.parametrize(("narrow", "wide"), [(1.6, 3.2), (2.1, 2.25)])
def test_noise_of_the_sharper_image_does_not_change_fluxes(narrow, wide):
    random = np.random.default_rng(5)
    width = np.sqrt(wide**2 - narrow**2)
    basis = KernelBasis(tuple(max(width, 1.4) * factor for factor in (0.5, 1.0, 2.0)), (2, 2, 0))
    n, outer = 150, HALF + basis.half
    noise = SKY * np.sqrt(4 * np.pi) * narrow
    flux = noise * 10 ** random.uniform(1.2, 2.2, n)  # signal-to-noise ratios from 16 to 160
    sources = flux[:, None, None] * gaussian(narrow, outer) + random.normal(0, SKY, (n, 2 * outer + 1, 2 * outer + 1))
    targets = flux[:, None, None] * gaussian(wide, HALF) + random.normal(0, SKY / 2, (n, 2 * HALF + 1, 2 * HALF + 1))
    noises = np.full(n, SKY**2), np.full(n, SKY**2 / 4)
    u, v = random.uniform(-1, 1, (2, n))
    kernel = fit_matching_kernel(sources.astype("f4"), targets.astype("f4"), noises, u, v, basis, order=0)
    # 0.96 and 0.98 where the noise is taken for light
    assert kernel.flux_ratio == pytest.approx(1.0, abs=0.012)


@pytest.mark.parametrize("fwhm", [3.6, 6.6])
def test_kernels_of_models_do_not_amplify_noise(fwhm):
    alpha = fwhm / (2 * np.sqrt(2 ** (1 / 3) - 1))
    offset = np.arange(-30, 31)
    stamp = (1 + (offset[:, None] ** 2 + offset**2) / alpha**2) ** -3.0
    psf = PixelPsf((stamp / stamp.sum())[None].astype("f4"), 0, fwhm=fwhm, interpolation="star")
    kernel = kernel_to_model(psf, gaussian_model(7.2), Box(0, 0, 1000, 1000))
    assert kernel is not None
    assert kernel.flux_ratio == pytest.approx(1.0, abs=0.005)
    assert np.sqrt(np.sum(kernel.stamp() ** 2)) < 0.4
    assert kernel_to_model(psf, gaussian_model(fwhm * 0.9), Box(0, 0, 1000, 1000)) is None
