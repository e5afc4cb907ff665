"""Instrument-signature removal takes from simulated frames what the simulator put on."""

import numpy as np
import pytest
from overscan_camera import write_toy_camera

from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.raw import Raw
from obs.image.visit_info import VisitInfo
from obs.simulator.config import SimulateConfig
from obs.simulator.exposure import simulate_exposure
from obs.tasks.isr import remove_signature
from obs.tasks.isr_config import IsrConfig
from obs.tasks.isr_work import Calibrations

_CROSSTALK = [[0.0, 5e-4], [3e-4, 0.0]]
_SKY = 2000.0


def _frame(image, **visit):
    masked = MaskedImage(image.astype(np.float32), Mask.zeros(image.shape), np.zeros(image.shape, np.float32))
    return Exposure(masked, visit_info=VisitInfo(**visit))


#: For levels from -100 on: what is subtracted bends from 0 to 400 at 20,000.
_BENT = ",".join(f"{0.0 if level < 0 else -1e-6 * level**2:.3f}" for level in range(-100, 66000)) + "\n"


@pytest.fixture(
    scope="module",
    params=[("Squared", (3e-6,)), ("Spline", (0.0, 1000.0, 30000.0, 0.0, 4.0, 600.0)), ("LookupTable", (0, 100))],
    ids=lambda param: param[0],
)
def toy_with_everything(request, tmp_path_factory):
    kind, coefficients = request.param
    folder = tmp_path_factory.mktemp("toy") / "camera"
    return write_toy_camera(folder, linearity=kind, coefficients=coefficients, table=_BENT)


@pytest.mark.parametrize("name", ["west", "east"])
def test_light_comes_out_as_it_went_in(toy_with_everything, make_shot, name):
    toy, config = toy_with_everything, SimulateConfig()
    config.sky.level = _SKY
    config.sources.density = 5e4
    config.sky.zero_point = 27.0
    config.detector.crosstalk = _CROSSTALK
    config.detector.bias_structure = 5.0
    config.detector.drift = 3.0
    config.detector.dark_current = 3.0
    config.detector.pixel_response = 0.02
    config.cosmic_rays.count = 0
    detector = toy.load_camera().detector(name)
    frame = simulate_exposure(toy, make_shot(), detector, config, seed=11)
    truth = frame.truth
    gain = np.ones(detector.bbox.shape, np.float32)
    for amp in detector.amplifiers:
        gain[amp.bbox.slices] = amp.nominal.gain
    rows, columns = np.nonzero(truth.pattern.defects)
    calibrations = Calibrations(
        bias=_frame(truth.pattern.bias),
        dark=_frame(truth.pattern.dark / gain, dark_time=1.0),
        flat=_frame(np.maximum(truth.pattern.response, 0.05)),
        defects=[Box(int(x), int(y), 1, 1) for y, x in zip(rows, columns, strict=True)],
        crosstalk=np.array(_CROSSTALK),
    )
    isr = IsrConfig(do_crosstalk=True, do_interpolate=False, expect_wcs=False)
    isr.overscan.fit_type = "MEDIAN_PER_ROW"
    header = {name: card[0] if isinstance(card, tuple) else card for name, card in frame.header.items()}
    visit_info = make_shot().visit_info
    done = remove_signature(Raw(frame.raw, header), detector, calibrations, isr, visit_info=visit_info, warn=print)

    good = (done.masked_image.mask.array == 0) & (truth.electrons < 1.05 * _SKY)
    assert good.mean() > 0.8
    light = done.masked_image.image * gain
    residual = (light - truth.electrons)[good]
    assert abs(residual.mean()) < 1e-3 * _SKY
    noise = np.sqrt(done.masked_image.variance)[good] * gain[good]
    read_noise = detector.amplifiers[0].nominal.read_noise
    response = truth.pattern.response
    expected = np.sqrt(truth.electrons * response + 30.0 * truth.pattern.dark + read_noise**2)[good] / response[good]
    # The median of sixteen overscan pixels adds a little to each row.
    overscan = 1.2533 * read_noise / np.sqrt(16)
    assert residual.std() == pytest.approx(np.sqrt((expected**2).mean() + overscan**2), rel=0.02)
    assert np.median(noise / expected) == pytest.approx(1.0, abs=0.01)
