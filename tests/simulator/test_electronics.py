import numpy as np
import pytest
from overscan_camera import GAINS, HEIGHT, WIDTH, write_toy_camera

from obs.errors import ConfigError, PluginError
from obs.simulator.config import DetectorConfig
from obs.simulator.electronics import adu_from_charge, bleed_amplifiers, read_out
from obs.simulator.fixed_pattern import FixedPattern


def _pattern(bias=0.0, levels=(1000.0, 1100.0)):
    shape = HEIGHT, WIDTH
    ones = np.ones(shape, np.float32)
    return FixedPattern(
        lambda: ones, lambda: 0 * ones, np.float32(bias) * ones, np.zeros(shape, np.bool_), np.array(levels)
    )


def _assemble(raw, detector):
    """Put the data of the amplifiers together, as the boxes and flips say."""
    out = np.zeros(detector.bbox.shape)
    for amp in detector.amplifiers:
        data = raw[amp.raw_data_bbox.y_min : amp.raw_data_bbox.y_max, amp.raw_data_bbox.x_min : amp.raw_data_bbox.x_max]
        data = data[:, ::-1] if amp.flip_x else data
        out[:, amp.bbox.x_min : amp.bbox.x_max] = data
    return out


def test_pixels_are_found_again_where_the_camera_says(toy):
    detector = toy.load_camera().detector("west")
    adu = np.arange(HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH) % 5000
    raw = read_out(adu.copy(), detector, _pattern(bias=3.0), DetectorConfig(drift=0.0), np.random.default_rng(1))[0]
    assert raw.dtype == np.uint16
    assert raw.shape == detector.raw_shape
    levels = np.where(np.arange(WIDTH) < WIDTH // 2, 1000.0, 1100.0)
    difference = _assemble(raw, detector) - levels - 3.0 - adu
    noise = np.where(np.arange(WIDTH) < WIDTH // 2, 5.0 / GAINS[0], 5.0 / GAINS[1])
    assert np.abs(difference.mean()) < 0.05
    assert (difference / noise).std() == pytest.approx(1.0, abs=0.02)
    for amp, level in zip(detector.amplifiers, (1000.0, 1100.0), strict=True):
        for box in (amp.raw_serial_overscan_bbox, amp.raw_prescan_bbox):
            assert raw[box.slices].mean() == pytest.approx(level, abs=0.2)


def test_drift_is_the_same_in_data_and_overscan_of_a_row(toy):
    detector = toy.load_camera().detector("west")
    zero = np.zeros((HEIGHT, WIDTH), np.float32)
    raw = read_out(zero, detector, _pattern(), DetectorConfig(drift=20.0), np.random.default_rng(1))[0].astype(float)
    for amp in detector.amplifiers:
        data = raw[amp.raw_data_bbox.slices].mean(axis=1)
        overscan = raw[amp.raw_serial_overscan_bbox.slices].mean(axis=1)
        assert data.std() > 5
        assert (data - overscan).std() < 1.2


def test_numbers_stop_at_those_of_the_converter(toy):
    detector = toy.load_camera().detector("west")
    adu = np.full((HEIGHT, WIDTH), 1e6, np.float32)
    adu[0] = -1e6
    raw = read_out(adu, detector, _pattern(), DetectorConfig(), np.random.default_rng(1))[0]
    assert raw.max() == 65535
    assert raw.min() == 0


def test_gains_turn_electrons_into_counts(toy):
    detector = toy.load_camera().detector("west")
    adu = adu_from_charge(np.full((HEIGHT, WIDTH), 1000.0, np.float32), detector, [])
    assert adu[0, 0] == 1000.0 / GAINS[0]
    assert adu[0, -1] == 1000.0 / GAINS[1]


def test_crosstalk_is_mirrored_about_the_corners_that_are_read_first(toy):
    detector = toy.load_camera().detector("west")
    charge = np.zeros((HEIGHT, WIDTH), np.float32)
    charge[10, 3] = 20000.0  # in the left amplifier, read from the left; the right one is read from the right
    adu = adu_from_charge(charge, detector, [[0.0, 1e-3], [0.0, 0.0]])
    assert adu[10, WIDTH - 1 - 3] == pytest.approx(20000.0 / GAINS[0] * 1e-3)
    assert np.count_nonzero(adu) == 2


def test_crosstalk_of_another_number_of_amplifiers_is_refused(toy):
    charge = np.zeros((HEIGHT, WIDTH), np.float32)
    with pytest.raises(ConfigError, match="detector 'west' has 2 amplifiers and needs 2 rows of 2 numbers"):
        adu_from_charge(charge, toy.load_camera().detector("west"), [[0.0]])


#: The second row adds 2 % of the level in whole steps; its first column is for level -5.
TABLE = "0" + ",0" * 69999 + "\n" + ",".join(str(round(0.02 * max(n - 5, 0))) for n in range(70000)) + "\n"
LEVELS = np.linspace(0, 40000, HEIGHT)


@pytest.mark.parametrize(
    ("kind", "coefficients", "correct", "tolerance"),
    [
        ("None", (0.0,), lambda x: x, 1.0),
        ("Squared", (2e-6,), lambda x: x + 2e-6 * x**2, 1.0),
        ("Polynomial", (-1e-6,), lambda x: x - 1e-6 * x**2, 1.0),
        ("Spline", (0.0, 60000.0, 0.0, -1200.0), lambda x: x + 0.02 * x, 1.0),
        ("LookupTable", (1, 5), lambda x: x + np.round(0.02 * x), 1.5),
    ],
)
def test_correction_for_linearity_gives_the_light_again(tmp_path, kind, coefficients, correct, tolerance):
    toy = write_toy_camera(
        tmp_path / "c",
        linearity=kind,
        coefficients=coefficients,
        table=TABLE,
    )
    detector = toy.load_camera().detector("west")
    adu = np.broadcast_to(LEVELS.astype(np.float32)[:, None], (HEIGHT, WIDTH)).copy()
    raw = read_out(
        adu.copy(), detector, _pattern(levels=(0.0, 0.0)), DetectorConfig(drift=0.0), np.random.default_rng(1)
    )[0]
    given = _assemble(raw, detector)
    if kind != "None":
        assert np.abs(given - adu)[-1].mean() > 100
    assert np.abs((correct(given.astype(float)) - adu).mean(axis=1)).max() < tolerance


def test_a_linearity_table_that_is_not_there_is_told(tmp_path):
    toy = write_toy_camera(tmp_path / "c", linearity="LookupTable", coefficients=(1.0, 0.0))
    adu = np.zeros((HEIGHT, WIDTH), np.float32)
    with pytest.raises(
        PluginError, match="amplifier 'left': the simulator knows no linearity of type 'LookupTable' wit"
    ):
        read_out(adu, toy.load_camera().detector("west"), _pattern(), DetectorConfig(), np.random.default_rng(1))


def test_charge_bleeds_within_its_amplifier_and_is_told(toy):
    detector = toy.load_camera().detector("west")
    charge = np.zeros((HEIGHT, WIDTH), np.float32)
    charge[100, 127] = 1e6
    saturated = bleed_amplifiers(charge, detector, [1000.0, 1000.0], 1.05)
    limit = 49000 * GAINS[0]
    assert charge.max() == pytest.approx(1.05 * limit)
    assert saturated.sum() == pytest.approx(1e6 / (1.05 * limit), abs=2)
    assert set(np.flatnonzero(saturated.any(axis=0))) == {127}
