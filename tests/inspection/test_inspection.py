"""What whole files tell: synthetic ones with faults, and real ones."""

import json

import numpy as np
import pytest

from obs.errors import FileFormatError
from obs.geom import Box
from obs.inspection.inspect import inspect_files
from obs.inspection.pixels.overscan import find_dark_columns
from raw_frames import COMMON, card_line, flat_frame, write_frame

SHAPE = (100, 232)


def inspect(tmp_path, cards, *, pixels=None, extensions=(), name="raw.fits"):
    return inspect_files([write_frame(tmp_path / name, [*COMMON, *cards], pixels, extensions)])


def only(findings):
    (chip,) = findings.detectors
    return chip.facts.amplifiers


def test_sections_that_the_pixels_agree_with_are_certain(tmp_path):
    pixels = flat_frame(SHAPE, dark=[slice(200, 232)])
    cards = [("DATASEC", "[1:200, 1:100]"), ("BIASSEC", "[ 201 : 232 , 1 : 100 ]"), ("GAIN", 1.5, "e-/ADU")]
    found = inspect(tmp_path, cards, pixels=pixels)
    (amp,) = only(found)
    assert (amp.data, amp.overscan) == (Box(0, 0, 200, 100), Box(200, 0, 32, 100))
    assert amp.findings["overscan"].confidence == "certain"
    assert amp.findings["gain"].value == 1.5
    assert found.warnings == ()


def test_overscan_without_any_card_comes_from_the_pixels(tmp_path):
    found = inspect(tmp_path, [], pixels=flat_frame(SHAPE, dark=[slice(200, 232)]), name="raw.fits.gz")
    (amp,) = only(found)
    assert (amp.data, amp.overscan) == (Box(0, 0, 200, 100), Box(200, 0, 32, 100))
    assert amp.findings["overscan"].source == "pixels"
    assert amp.findings["overscan"].confidence == "likely"


def test_wrong_sections_give_way_to_the_pixels_with_a_warning(tmp_path):
    cards = [("DATASEC", "[33:232,1:100]"), ("BIASSEC", "[1:32,1:100]")]
    found = inspect(tmp_path, cards, pixels=flat_frame(SHAPE, dark=[slice(200, 232)]))
    (amp,) = only(found)
    assert amp.overscan == Box(200, 0, 32, 100)
    assert amp.findings["overscan"].confidence == "guess"
    assert any("the pixels have no light in columns 201:232" in text for text in found.warnings)


def test_two_overscans_at_the_far_side_are_two_amplifiers(tmp_path):
    pixels = flat_frame(SHAPE, dark=[slice(168, 232)])
    pixels[:, 200:] += 40
    found = inspect(tmp_path, [], pixels=pixels)
    assert [(amp.data.x_min, amp.data.width, amp.overscan.x_min) for amp in only(found)] == [
        (0, 84, 168),
        (84, 84, 200),
    ]


def test_columns_without_light_at_either_side(tmp_path):
    pixels = flat_frame(SHAPE, dark=[slice(0, 12), slice(212, 232)])
    (amp,) = only(inspect(tmp_path, [], pixels=pixels))
    assert (amp.prescan, amp.data, amp.overscan) == (Box(0, 0, 12, 100), Box(12, 0, 200, 100), Box(212, 0, 20, 100))
    assert amp.findings["overscan"].confidence == "guess"
    pixels[:, 112:212] += 600
    left, right = only(inspect(tmp_path, [], pixels=pixels))
    assert (left.overscan.x_min, left.data, right.overscan.x_min) == (0, Box(12, 0, 100, 100), 212)


def test_a_bias_frame_tells_nothing_of_its_overscan(tmp_path):
    found = inspect(tmp_path, [], pixels=flat_frame(SHAPE, level=0))
    (amp,) = only(found)
    assert amp.overscan.is_empty
    assert amp.findings["overscan"].confidence == "not known"
    assert amp.findings["data"].confidence == "guess"


def test_a_section_outside_the_image_is_not_used(tmp_path):
    cards = [("DATASEC", "[1:200,1:100]"), ("BIASSEC", "[201:300,1:100]")]
    found = inspect(tmp_path, cards, pixels=flat_frame(SHAPE, level=0))
    assert only(found)[0].overscan.is_empty
    assert any("BIASSEC = [201:300,1:100] leaves the image of 232 x 100 pixels" in text for text in found.warnings)


def test_lettered_sections_of_one_image(tmp_path):
    cards = [
        ("DATASECA", "[17:116,1:100]"),
        ("BIASSECA", "[1:16,1:100]"),
        ("CCDSECA", "[1:100,1:100]"),
        ("GAINA", 1.5, "e-/ADU"),
        ("DATASECB", "[117:216,1:100]"),
        ("BIASSECB", "[217:232,1:100]"),
        ("CCDSECB", "[101:200,1:100]"),
        ("GAINB", 1.6, "e-/ADU"),
    ]
    found = inspect(tmp_path, cards, pixels=flat_frame(SHAPE, dark=[slice(0, 16), slice(216, 232)]))
    left, right = only(found)
    assert (left.data, left.overscan, left.bbox) == (Box(16, 0, 100, 100), Box(0, 0, 16, 100), Box(0, 0, 100, 100))
    assert (right.data, right.overscan, right.bbox) == (
        Box(116, 0, 100, 100),
        Box(216, 0, 16, 100),
        Box(100, 0, 100, 100),
    )
    assert [amp.findings["gain"].value for amp in (left, right)] == [1.5, 1.6]


def test_an_extension_a_detector(tmp_path):
    extensions = [
        (
            [("EXTNAME", f"ccd{n:02d}"), ("CCDNUM", n), ("DETSEC", f"[{n * 200 - 199}:{n * 200},1:100]")],
            flat_frame((100, 200)),
        )
        for n in (1, 2)
    ]
    found = inspect(tmp_path, [], extensions=extensions)
    assert found.layout == "detectors"
    assert [(chip.key, chip.name) for chip in found.detectors] == [(1, "ccd01"), (2, "ccd02")]
    assert found["detector"].source == "CCDNUM"


def test_several_frames_tell_what_identifies_exposure_and_detector(tmp_path):
    paths = []
    for visit in (17, 18):
        for chip in (1, 2):
            cards = dict(card[:2] for card in COMMON) | {"EXPNUM": visit, "DATE-OBS": f"2024-03-01T05:0{visit - 17}:07"}
            pixels = flat_frame((40, 64))
            paths.append(write_frame(tmp_path / f"{visit}-{chip}.fits", [*cards.items(), ("CCDNUM", chip)], pixels))
    roles = inspect_files(paths).roles
    assert (roles.detector, set(roles.exposure)) == (("CCDNUM",), {"EXPNUM", "DATE-OBS"})
    assert "INSTRUME" in roles.constant


def test_a_number_that_two_dates_share_numbers_no_exposures(tmp_path):
    paths = []
    for day in (1, 2):
        cards = dict(card[:2] for card in COMMON) | {"DATE-OBS": f"2024-03-0{day}T05:06:07"}
        paths.append(write_frame(tmp_path / f"{day}.fits", cards.items(), flat_frame((40, 64))))
    found = inspect_files(paths)
    assert found["visit"].confidence == "not known"
    assert found.frames.visit.kind == "date"


def test_a_cube_is_told(tmp_path):
    found = inspect(tmp_path, [], pixels=flat_frame((4, 40, 64)))
    assert any("a cube of 4 planes" in text and "obs new --planes each" in text for text in found.warnings)


def test_several_detectors_of_several_amplifiers_in_one_file(tmp_path):
    extensions = []
    for number in range(1, 5):
        odd = number % 2
        cards = [
            ("EXTNAME", f"im{number}"),
            ("CCDNAME", f"SITe #{(number + 1) // 2}"),
            ("DATASEC", "[1:100,1:40]" if odd else "[33:132,1:40]"),
            ("BIASSEC", "[101:132,1:40]" if odd else "[1:32,1:40]"),
            ("CCDSEC", "[1:100,1:40]" if odd else "[101:200,1:40]"),
        ]
        dark = slice(100, 132) if odd else slice(0, 32)
        extensions.append((cards, flat_frame((40, 132), dark=[dark])))
    found = inspect(tmp_path, [], extensions=extensions)
    chips = [[(amp.raw_hdu, amp.bbox.x_min) for amp in chip.facts.amplifiers] for chip in found.detectors]
    assert chips == [[(1, 0), (2, 100)], [(3, 0), (4, 100)]]


def test_a_header_that_announces_more_extensions_is_told(tmp_path):
    found = inspect(tmp_path, [("NEXTEND", 70)], pixels=flat_frame((40, 64)))
    assert any("NEXTEND says 70 extensions, here are 0" in text for text in found.warnings)
    found = inspect(tmp_path, [("NEXTEND", 1)], extensions=[([], flat_frame((40, 64)))])
    assert not any("NEXTEND" in text for text in found.warnings)


def test_odd_cards_do_not_stop_it(tmp_path):
    odd = ["GAIN    =                      / undefined", "OBSERVER= 'Ren\xe9'", "nonsense", card_line("FILTER", "g")]
    found = inspect(tmp_path, odd, pixels=flat_frame((40, 64)))
    assert found["filter"].confidence == "guess"
    assert only(found)[0].findings["gain"].confidence == "not known"
    text = "; ".join(found.warnings)
    assert "GAIN is undefined" in text
    assert "OBSERVER has letters that are not ASCII" in text
    assert "'nonsense' is not a card" in text


def test_files_of_two_cameras_are_refused(tmp_path):
    first = write_frame(tmp_path / "a.fits", COMMON, flat_frame((40, 64)))
    other = [("INSTRUME", "other"), *COMMON[1:]]
    second = write_frame(tmp_path / "b.fits", other, flat_frame((40, 64)))
    with pytest.raises(FileFormatError, match=r"of 2 cameras: toycam: a\.fits; other: b\.fits"):
        inspect_files([first, second])


def test_a_file_cut_short_still_has_its_header(tmp_path):
    path = write_frame(tmp_path / "a.fits", COMMON, flat_frame((40, 64)))
    path.write_bytes(path.read_bytes()[:5000])
    found = inspect_files([path])
    assert found["exposure_time"].value == 30.0
    assert any("cut short" in text for text in found.warnings)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"hello", "is neither a FITS file nor the text of a header"),
        (b"\x1f\x8bxx", "cannot be read"),
        (b"SIMPLE  =                    T".ljust(80) * 36_036, "header of more than 36000 cards, or one without END"),
    ],
)
def test_what_is_no_fits_file(tmp_path, content, message):
    path = tmp_path / "a.fits"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=message):
        inspect_files([path])


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(FileFormatError, match="does not exist"):
        inspect_files([tmp_path / "none.fits"])
    with pytest.raises(FileFormatError, match="is a folder"):
        inspect_files([tmp_path])
    with pytest.raises(FileFormatError, match="has no image"):
        inspect_files([write_frame(tmp_path / "a.fits", COMMON)])


def test_light_that_fades_towards_the_edge_is_no_overscan():
    x = np.linspace(0, 1, 232)
    pixels = (1000 + 5000 * np.sin(np.pi * x))[None, :] + np.random.default_rng(1).normal(0, 5, SHAPE)
    assert find_dark_columns(pixels.astype(np.float32)) is None


@pytest.mark.parametrize(("center", "noise"), [(320, 135), (200, 20)])
def test_overscan_beside_vignetted_light_is_all_that_is_dark(center, noise):
    y, x = np.mgrid[:500, :664]
    random = np.random.default_rng(2)
    light = 24000 * (1 - 0.2 * np.hypot(x - center, y - 250) ** 2 / 640**2)
    pixels = 300 + light + random.normal(0, noise, light.shape)
    pixels[:, 640:] = 300 + random.normal(0, 3.9, (500, 24))
    seen = find_dark_columns(pixels.astype(np.float32))
    assert seen is not None
    assert (seen.blocks, seen.data) == (((640, 664),), ((0, 640),))


def test_kast(shared_data):
    found = inspect_files(sorted((shared_data / "kast").glob("*.fits.gz")))
    left, right = only(found)
    assert (left.data, left.overscan) == (Box(0, 0, 1024, 350), Box(2048, 0, 32, 350))
    assert (right.data, right.overscan) == (Box(1024, 0, 1024, 350), Box(2080, 0, 32, 350))
    assert left.findings["overscan"].confidence == "certain"
    assert {amp.findings["gain"].confidence for amp in (left, right)} == {"not known"}
    assert found["image_type"].confidence == "guess"


def test_sinistro(shared_data):
    found = inspect_files([shared_data / "sinistro" / "raw_four_amp_mef.fits.gz"])
    amps = only(found)
    assert [amp.raw_hdu for amp in amps] == [1, 2, 3, 4]
    assert [amp.findings["gain"].value for amp in amps] == [6.42, 6.23, 6.27, 6.26]
    assert {(amp.data, amp.overscan) for amp in amps} == {(Box(0, 0, 512, 512), Box(519, 0, 21, 512))}
    assert {amp.parallel_overscan for amp in amps} == {Box(0, 512, 512, 10)}
    places = [(amp.bbox.x_min, amp.bbox.y_min, amp.flip_x, amp.flip_y) for amp in amps]
    assert places == [(0, 512, False, True), (0, 0, False, False), (512, 0, True, False), (512, 512, True, True)]
    assert found["binning"].value == (2, 2)


def test_the_real_headers(shared_data):
    folder = shared_data / "headers"
    for name, expected in json.loads((folder / "expected.json").read_text()).items():
        found = inspect_files([folder / f"{name}.hdr"])
        assert found["exposure_time"].value == expected["exposure_time"]["value"], name
        assert int(found["observing_day"].value.replace("-", "")) == expected["observing_day"], name
        assert found["object"].value == expected["object"], name
        kind = {"zero": "bias"}.get(expected["observation_type"], expected["observation_type"])
        assert found["image_type"].value == kind, name
        numbers = (expected["detector_num"], int(expected["detector_name"].removeprefix("ccd")))
        assert found["detector"].value in numbers, name
        # LSST's translators write HSC's filters in capitals, and what DECam's bias frames saw as a plate
        if expected["observation_type"] != "zero":
            assert found["filter"].value.upper() == expected["physical_filter"].upper(), name


def test_lettered_sections_of_real_headers(shared_data):
    found = inspect_files([shared_data / "headers" / "megaprime.hdr"])
    left, right = only(found)
    assert (left.data, left.bbox) == (Box(32, 0, 1024, 4612), Box(0, 0, 1024, 4612))
    assert (right.overscan, right.findings["gain"].value) == (Box(2080, 0, 32, 4644), 1.67)


def test_the_wcs_places_detectors_that_are_turned(tmp_path):
    def chip(number, x, y, matrix):
        names = ("CD1_1", "CD1_2", "CD2_1", "CD2_2")
        cards = [("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN"), ("CRVAL1", 10.0), ("CRVAL2", 20.0)]
        cards += [("CRPIX1", x), ("CRPIX2", y), *zip(names, (1e-4 * part for part in matrix), strict=True)]
        # sections know no turns
        return [("CCDNAME", f"chip{number}"), ("DETSEC", f"[{100 * number + 1}:{100 * number + 60},1:40]"), *cards]

    straight = chip(0, 30.5, 20.5, (-1, 0, 0, 1))
    turned = chip(1, 30.5 - 90, 20.5, (0, 1, 1, 0))
    extensions = [(straight, flat_frame((40, 60))), (turned, flat_frame((40, 60)))]
    found = inspect(tmp_path, [], extensions=extensions)
    assert found["detector_places"].value == "by WCS"
    assert [chip.mosaic.quarters for chip in found.detectors] == [0, 1]
    first, second = (chip.mosaic.box for chip in found.detectors)
    assert (first.width, first.height, second.width, second.height) == (60, 40, 40, 60)
    assert (second.x_min - first.x_min - 10, second.y_min - first.y_min + 10) == (0, 90)


@pytest.mark.parametrize(
    ("has_places", "value", "confidence"), [(True, "by section", "likely"), (False, "side by side", "guess")]
)
def test_places_of_detectors_with_several_amplifiers(tmp_path, has_places, value, confidence):
    extensions = []
    for number in range(4):
        cards = [
            ("CCDNAME", f"chip{number // 2}"),
            ("CCDSEC", f"[{100 * (number % 2) + 1}:{100 * (number % 2) + 100},1:40]"),
        ]
        if has_places:
            cards.append(
                ("DETSEC", f"[{100 * number + 1}:{100 * number + 100},{201 + number // 2}:{240 + number // 2}]")
            )
        extensions.append((cards, flat_frame((40, 100))))
    found = inspect(tmp_path, [], extensions=extensions)
    assert (found["detector_places"].value, found["detector_places"].confidence) == (value, confidence)
    boxes = [chip.mosaic.box if chip.mosaic else None for chip in found.detectors]
    assert boxes == ([Box(0, 200, 200, 40), Box(200, 201, 200, 40)] if has_places else [None, None])


def test_a_data_section_of_a_header_without_overscan_is_likely(tmp_path):
    path = tmp_path / "raw.hdr"
    lines = ["SIMPLE  =                    T", card_line("NAXIS", 2), card_line("NAXIS1", 100), card_line("NAXIS2", 40)]
    path.write_text("\n".join([*lines, card_line("DATASEC", "[1:100,1:40]"), "END"]))
    assert only(inspect_files([path]))[0].findings["data"].confidence == "likely"


@pytest.mark.parametrize(("first", "second"), [("11", "12"), ("LL", "LR"), ("_1", "_2"), ("A", "B")])
def test_ways_to_tell_amplifiers_apart(tmp_path, first, second):
    cards = [
        (f"DSEC{first}", "[1:100,1:100]"),
        (f"BSEC{first}", "[201:216,1:100]"),
        (f"GAIN{first.strip('_')}", 1.1, "e-/ADU"),
        (f"DSEC{second}", "[101:200,1:100]"),
        (f"BSEC{second}", "[217:232,1:100]"),
        (f"GAIN{second.strip('_')}", 1.2, "e-/ADU"),
    ]
    found = inspect(tmp_path, cards, pixels=flat_frame(SHAPE, dark=[slice(200, 232)]))
    left, right = only(found)
    assert (left.overscan, right.overscan) == (Box(200, 0, 16, 100), Box(216, 0, 16, 100))
    assert [amp.findings["gain"].value for amp in (left, right)] == [1.1, 1.2]


def test_cards_of_one_amplifier_that_is_numbered(tmp_path):
    cards = [("DSEC1", "[1:200,1:100]"), ("BSEC1", "[201:232,1:100]"), ("GAIN1", 1.1, "e-/ADU")]
    (amp,) = only(inspect(tmp_path, cards, pixels=flat_frame(SHAPE, dark=[slice(200, 232)])))
    assert (amp.overscan, amp.findings["gain"].value) == (Box(200, 0, 32, 100), 1.1)


def test_sections_by_corners_and_in_pixels_of_the_detector(tmp_path):
    cards = [("DATASEC", "[501,1:732,100]"), ("BIASSEC", "[0,1:0,100]"), ("CCDBINX", 1), ("CCDBINY", 1)]
    found = inspect(tmp_path, cards, pixels=flat_frame(SHAPE))
    (amp,) = only(found)
    assert (amp.data, amp.overscan, found.warnings) == (Box(0, 0, 232, 100), Box(0, 0, 0, 0), ())
    assert (amp.findings["data"].source, amp.findings["data"].confidence) == ("DATASEC", "likely")
    assert found["binning"].source == "CCDBINX, CCDBINY"


def header_only(tmp_path, sections):
    """Return the amplifiers and the warnings of a header with these sections."""
    path = tmp_path / "raw.hdr"
    size = [("NAXIS", 2), ("NAXIS1", 232), ("NAXIS2", 100)]
    lines = [card_line(*card) for card in (*size, *COMMON, *sections.items())]
    path.write_text("\n".join(["SIMPLE  =                    T", *lines]))
    found = inspect_files([path])
    return only(found), found.warnings


def test_sections_that_an_unknown_card_lies_across_are_guesses(tmp_path):
    sections = {"DATASEC": "[1:200,1:100]", "BIASSEC": "[201:232,1:100]", "PORTBSEC": "[117:232,1:100]"}
    (amp,), warnings = header_only(tmp_path, sections)
    assert [amp.findings[name].confidence for name in ("data", "overscan")] == ["guess", "guess"]
    assert warnings == (
        "PORTBSEC = [117:232,1:100] covers parts of data and overscan: the image may have amplifiers that no card "
        "known here describes",
    )


def test_sections_in_different_cards_are_likely(tmp_path):
    (first, second), _ = header_only(tmp_path, {"DSECA": "[1:100,1:100]", "TSECB": "[101:200,4:97]"})
    for amp in (first, second):
        assert amp.findings["data"].confidence == "likely"
    assert "the amplifiers have it in different cards: DSEC, TSEC" in second.findings["data"].note


def test_an_overscan_neither_beside_the_data_nor_above_is_a_guess(tmp_path):
    (amp,), _ = header_only(tmp_path, {"DATASEC": "[101:200,41:100]", "BIASSEC": "[1:150,1:32]"})
    assert amp.findings["overscan"].confidence == "guess"
    assert amp.findings["overscan"].note == "it is neither beside the data nor above them"


@pytest.mark.parametrize(("cards", "sure"), [([], "likely"), ([("AMPID", "C00")], "guess")])
def test_gain_of_one_of_several_amplifiers(tmp_path, cards, sure):
    pixels = flat_frame((64, 128), level=5000, dark=[slice(0, 8), slice(64, 72)])
    path = write_frame(tmp_path / "a.fits", [*COMMON, ("GAIN", 1.0), *cards], pixels)
    (detector,) = inspect_files([path]).detectors
    assert [amp.findings["gain"].confidence for amp in detector.facts.amplifiers] == [sure] * 2
