"""Types of frames, held against their pixels."""

import numpy as np
import pytest
from astropy.io import fits

from obs.inspection.finding import Finding
from obs.inspection.pixels.type_levels import are_sky_flats, find_unlikely_types
from obs.inspection.raw_file import read_raw_file
from obs.inspection.untyped import settle_by_target

BIAS, SHAPE = 300.0, (128, 160)


def write(folder, number, kind, light, *, stars):
    random = np.random.default_rng(number)
    y, x = np.indices(SHAPE)
    sky = light * (1 - 0.1 * ((x - 80) / 80.0) ** 2)
    if stars:
        for star_x, star_y in random.uniform(10, 118, (15, 2)):
            sky = sky + 3000 * np.exp(-((x - star_x) ** 2 + (y - star_y) ** 2) / 4.0)
    pixels = BIAS + random.poisson(sky) + random.normal(0, 4, SHAPE)
    hot = random.integers(0, 128, (2, 4))
    pixels[hot[0], hot[1]] += 500
    path = folder / f"{kind}{number}.fits"
    fits.PrimaryHDU(pixels.clip(0).round().astype(np.uint16)).writeto(path)
    return read_raw_file(path), Finding("image_type", kind, "IMAGETYP")


@pytest.fixture
def others(tmp_path):
    biases = [write(tmp_path, n, "bias", 0, stars=False) for n in range(2)]
    return [*biases, *(write(tmp_path, n, "flat", 12000, stars=False) for n in (2, 3))]


@pytest.mark.parametrize(
    ("light", "stars", "doubt"),
    [
        (0, False, "but its level of 300 ADU is that of biases and darks, and it shows no stars"),
        (11500, False, "ADU is that of flats, and it shows no stars"),
        (5, True, ""),
        (9000, True, ""),
        (900, False, ""),
    ],
    ids=["a bias", "a flat", "dark sky", "bright sky", "clouds"],
)
def test_a_light_frame_without_stars_is_doubted_where_its_level_is_of_others(tmp_path, others, light, stars, doubt):
    files, types = zip(*others, write(tmp_path, 9, "science", light, stars=stars), strict=True)
    found = find_unlikely_types(files, types)
    assert doubt in found[-1].note
    assert found[-1].confidence == ("guess" if doubt else "certain")
    assert list(types[:-1]) == found[:-1]


def test_nothing_is_doubted_without_others(tmp_path):
    file, kind = write(tmp_path, 9, "science", 0, stars=False)
    assert find_unlikely_types([file], [kind]) == [kind]


def test_steps_between_amplifiers_are_not_stars(tmp_path):
    """Where overscan of 7 columns moves a step into a block, biases seemed to have as many stars as the sky."""
    files, types = zip(
        *(
            write(tmp_path, n, kind, light, stars=kind == "science")
            for n, (kind, light) in enumerate(
                [("bias", 0), ("bias", 0), ("flat", 12000), ("flat", 12000), ("science", 5)]
            )
        ),
        strict=True,
    )
    for file in files:
        with fits.open(file.path, mode="update") as hdus:
            hdus[0].data[:, 87:] += 150
    files = [read_raw_file(file.path) for file in files]
    assert find_unlikely_types(files, types) == list(types)


@pytest.mark.parametrize(("light", "stars", "flats"), [(12000, False, True), (12000, True, False), (300, False, False)])
def test_bright_sky_without_stars_is_a_flat_where_no_other_frame_is(tmp_path, light, stars, flats):
    frames = [
        write(tmp_path, 0, "bias", 0, stars=False),
        *(write(tmp_path, n, "sky", light, stars=stars) for n in (1, 2)),
    ]
    files, types = zip(*frames, strict=True)
    assert are_sky_flats(files, types) == flats
    flat = write(tmp_path, 3, "flat", 12000, stars=False)
    assert not are_sky_flats((*files, flat[0]), (*types, flat[1]))


@pytest.mark.parametrize(
    ("light", "stars", "target", "kind"),
    [
        (12000, False, "Dome flat", "flat"),
        (12000, True, "Dome flat", None),
        (300, False, "Dome flat", None),
        (0, False, "bias", "bias"),
        (12000, False, "bias", None),
    ],
)
def test_a_calibration_that_a_card_calls_an_object_is_what_its_target_says(tmp_path, light, stars, target, kind):
    doubt = Finding.unknown("image_type", f"OBSTYPE says science, but the frame is called '{target}'")
    frames = [write(tmp_path, 0, "bias", 0, stars=False), write(tmp_path, 1, "light", light, stars=stars)]
    with fits.open(frames[1][0].path, mode="update") as hdus:
        hdus[0].header["OBSTYPE"], hdus[0].header["OBJECT"] = "OBJECT", target
    files = [frames[0][0], read_raw_file(frames[1][0].path)]
    types, warning = settle_by_target(files, [frames[0][1], doubt])
    assert types[0] == frames[0][1]
    assert (types[1].value, bool(warning)) == (kind, kind is not None)
    assert types[1].confidence == ("not known" if kind is None else "guess")
