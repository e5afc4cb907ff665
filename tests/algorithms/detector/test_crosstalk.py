import numpy as np
import pytest

from obs.algorithms.detector.assemble import assemble, split_amplifiers
from obs.algorithms.detector.crosstalk import subtract_crosstalk
from obs.camera.amplifier import Amplifier
from obs.errors import FileFormatError
from obs.geom import Box
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage

W, H = 400, 300
CORNERS = ("LL", "LR", "UL", "UR")
MATRIX = np.array([[0, 1, 2, 3], [4, 0, 5, 6], [7, 8, 0, 9], [1, 3, 5, 0]]) * 1e-4  # [source, target]


def amplifiers():
    return [
        Amplifier(
            name=corner,
            bbox=Box(W * (k % 2), H * (k // 2), W, H),
            raw_bbox=Box(0, 0, W, H),
            raw_data_bbox=Box(0, 0, W, H),
            readout_corner=corner,
            flip_x=k % 2 == 1,
            flip_y=k // 2 == 1,
            raw_hdu=k + 1,
        )
        for k, corner in enumerate(CORNERS)
    ]


def with_crosstalk(truth):
    """Add ghosts amplifier by amplifier in the order of reading, which is what an amplifier's own image shows."""
    raw = {k: np.zeros((H, W), np.float32) for k in range(1, 5)}
    split_amplifiers(truth, raw, amplifiers())
    stack = np.stack([raw[k] for k in range(1, 5)])
    return {k + 1: (stack[k] + np.einsum("j,jyx->yx", MATRIX[:, k], stack)).astype(np.float32) for k in range(4)}


def scene():
    truth = np.random.default_rng(1).uniform(0, 100, (2 * H, 2 * W)).astype(np.float32)
    truth[40:43, 70:75] = 60000
    truth[500, 799] = 60000
    return truth


def masked(image):
    return MaskedImage(image.copy(), Mask.zeros(image.shape), np.full(image.shape, 4.0, np.float32))


def remove(image, **options):
    data = [(amp, image.cutout(amp.bbox)) for amp in amplifiers()]
    return subtract_crosstalk(data, MATRIX, **{"background": np.zeros(4), "minimum_to_mask": 45000.0} | options)


def test_ghosts_disappear_from_the_assembled_image():
    truth = scene()
    image = masked(assemble(with_crosstalk(truth), amplifiers(), truth.shape, fill=0))
    assert np.abs(image.image - truth).max() > 20
    remove(image)
    assert np.abs(image.image - truth).max() < 0.15  # second order in the coefficients


def test_ghosts_disappear_from_raw_images():
    truth = scene()
    raw = {hdu: masked(pixels) for hdu, pixels in with_crosstalk(truth).items()}
    data = [(amp, raw[amp.raw_hdu]) for amp in amplifiers()]
    subtract_crosstalk(data, MATRIX, background=np.zeros(4), minimum_to_mask=45000.0, raw_order=True)
    image = assemble({hdu: pixels.image for hdu, pixels in raw.items()}, amplifiers(), truth.shape, fill=0)
    assert np.abs(image - truth).max() < 0.15


def test_sources_are_the_uncorrected_pixels():
    image = masked(np.zeros((2 * H, 2 * W), np.float32))
    image.image[0, 0] = 1000.0
    image.image[0, 2 * W - 1] = 3000.0
    remove(image)
    assert image.image[0, 0] == pytest.approx(1000.0 - 4e-4 * 3000)
    assert image.image[0, 2 * W - 1] == pytest.approx(3000.0 - 1e-4 * 1000)


def test_ghosts_of_bright_pixels_are_masked_and_not_their_sources():
    image = masked(scene())
    number = remove(image)
    struck = image.mask.any("CROSSTALK")
    assert number == struck.sum() == 3 * 15 + 3
    assert not struck[40:43, 70:75].any()
    for y, x in (
        (slice(40, 43), slice(725, 730)),
        (slice(557, 560), slice(70, 75)),
        (slice(557, 560), slice(725, 730)),
    ):
        assert struck[y, x].all()


def test_background_is_no_source():
    image = masked(np.full((2 * H, 2 * W), 500.0, np.float32))
    remove(image, background=np.full(4, 500.0))
    assert np.all(image.image == 500.0)


def test_noise_of_strong_crosstalk_is_in_the_variance():
    rng = np.random.default_rng(2)
    image = masked(rng.normal(0, 2, (2 * H, 2 * W)).astype(np.float32))
    matrix = np.full((4, 4), 0.3)
    data = [(amp, image.cutout(amp.bbox)) for amp in amplifiers()]
    subtract_crosstalk(data, matrix, background=np.zeros(4), minimum_to_mask=1e9)
    assert np.mean(image.variance) == pytest.approx(np.var(image.image), rel=0.02)
    assert np.mean(image.variance) == pytest.approx(4 * (1 + 3 * 0.09))


def test_pixels_that_are_no_number_have_no_ghosts():
    image = masked(np.zeros((2 * H, 2 * W), np.float32))
    image.image[5, 5] = np.nan
    remove(image)
    assert np.isnan(image.image).sum() == 1


def test_what_does_not_fit_is_told():
    image = masked(np.zeros((2 * H, 2 * W), np.float32))
    data = [(amp, image.cutout(amp.bbox)) for amp in amplifiers()]
    with pytest.raises(FileFormatError, match=r"coefficients have shape \(3, 3\), the detector has 4 amplifiers"):
        subtract_crosstalk(data, np.zeros((3, 3)), background=np.zeros(4), minimum_to_mask=1.0)
    data[0] = data[0][0], image.cutout(Box(0, 0, 5, 5))
    with pytest.raises(FileFormatError, match="amplifiers of one size, these are 400 x 300, 5 x 5"):
        subtract_crosstalk(data, MATRIX, background=np.zeros(4), minimum_to_mask=1.0)
