"""`obs process-file`: one FITS image, with as much or as little as its header says."""

import re

import numpy as np
import pytest
import yaml
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.table import Table

from obs.algorithms.psf.width import half_maximum_width
from obs.errors import FileFormatError, MeasurementError, OutputError
from obs.image.catalog import Catalog
from obs.image.photo_calib import PhotoCalib
from obs.image.wcs import TanSipWcs
from obs.single_image import process_file
from obs.tasks.process_config import ProcessFileConfig
from star_field import Moffat, pixel_psf, star_field

SHAPE = (300, 320)
GAIN = 2.0
WCS_CARDS = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRVAL1": 150.0,
    "CRVAL2": 2.0,
    "CRPIX1": 160.0,
    "CRPIX2": 150.0,
    "CD1_1": -1e-4,
    "CD1_2": 0.0,
    "CD2_1": 0.0,
    "CD2_2": 1e-4,
}


@pytest.fixture(scope="module")
def field():
    return star_field(30, SHAPE, fluxes=(1e4, 2e5), profile=Moffat(3.2), gain=GAIN, read_noise=5.0)


@pytest.fixture
def write(tmp_path, field):
    """Write the field, or other pixels, as a FITS image with the given cards."""

    def write(pixels=None, *, name="field.fits", **cards):
        path = tmp_path / "in" / name
        path.parent.mkdir(exist_ok=True)
        header = fits.Header(cards)
        fits.PrimaryHDU(field.exposure.masked_image.image if pixels is None else pixels, header).writeto(path)
        return path

    return write


def config(**settings):
    return ProcessFileConfig(
        **{"characterize": {"psf_iterations": 1, "background": {"bin_size": 100, "order": 2}}, **settings}
    )


def process(path, tmp_path, **settings):
    output = tmp_path / "out"
    return process_file(path, output, config(**settings)), output


def read_source_table(output, name="field"):
    return Table.read(output / name / "src.fits", hdu=1)


def star_rows(table, field):
    distance = np.hypot(*(np.asarray(table[f"base_SdssCentroid_{c}"])[:, None] - getattr(field, c) for c in "xy"))
    assert (distance.min(0) < 0.5).all()
    return distance.argmin(0)


def test_an_image_with_a_gain_is_measured_with_its_errors(write, tmp_path, field):
    summary, output = process(write(GAIN=GAIN, RDNOISE=5.0, **WCS_CARDS), tmp_path)
    table = read_source_table(output)
    rows = star_rows(table, field)
    flux, error = (np.asarray(table[f"base_CircularApertureFlux_12_0_instFlux{end}"])[rows] for end in ("", "Err"))
    pull = (flux - field.flux * Moffat(3.2).within(12)) / error
    assert pull.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * len(rows)))
    assert summary.n_source == len(table)
    fwhm = half_maximum_width(pixel_psf(Moffat(3.2)), x=0, y=0)
    assert summary.fwhm == pytest.approx(fwhm, rel=0.02)
    assert summary.seeing == pytest.approx(fwhm * 0.36, rel=0.02)
    assert summary.n_psf_star >= 15
    assert [warning.split(":")[0] for warning in summary.warnings] == [
        "no astrometry, the WCS that the exposure came with is kept",
        "no zero point",
    ]
    assert np.isfinite(table["coord_ra"]).all()


def test_the_outputs_open_elsewhere(write, tmp_path, field):
    _, output = process(write(GAIN=GAIN, **WCS_CARDS), tmp_path)
    image = CCDData.read(output / "field.fits", hdu="IMAGE", hdu_mask="BADPIX", hdu_uncertainty="VARIANCE")
    assert image.shape == SHAPE
    assert image.mask.mean() < 0.01
    assert image.header["GAIN"] == GAIN
    assert image.header["SATURATE"] is fits.card.UNDEFINED or image.header["SATURATE"] is None
    assert abs(np.median(image.data)) < 1
    assert image.wcs.pixel_to_world_values(159.0, 149.0) == pytest.approx((150.0, 2.0))
    facts = yaml.safe_load((output / "field" / "metadata.yaml").read_text())
    assert facts["status"] == "done"
    assert facts["n_source"] == len(read_source_table(output))
    made = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    assert made == {
        "field.fits",
        *(f"field/{name}.fits" for name in ("src", "icSrc", "icExpBackground", "calexpBackground")),
        "field/metadata.yaml",
        "schema/src.fits",
        "schema/icSrc.fits",
    }
    schema = Table.read(output / "schema" / "src.fits", hdu=1)
    assert (len(schema), schema.colnames) == (0, read_source_table(output).colnames)


def test_without_a_gain_the_user_is_told(write, tmp_path, field):
    summary, output = process(write(), tmp_path)
    assert summary.warnings[0].startswith("the gain is not known: level and noise of the sky give 1.9")
    assert "give it with -c gain=VALUE" in summary.warnings[0]
    assert np.isnan(summary.seeing)
    assert summary.fwhm > 3
    variance = fits.getdata(output / "field.fits", "VARIANCE")
    # a sky of 100 with a gain of 2 and a read noise of 5 electrons
    assert np.median(variance) == pytest.approx(56.25, rel=0.05)
    brightest = np.unravel_index(np.argmax(field.exposure.masked_image.image), SHAPE)
    assert variance[brightest] == pytest.approx(field.exposure.masked_image.image[brightest] / GAIN + 6.25, rel=0.1)
    assert np.isnan(np.asarray(read_source_table(output)["coord_ra"])).all()


def sky_noise(field):
    """Counts, standard deviation of a pixel of the sky of the field."""
    return np.sqrt(100 / GAIN + (5.0 / GAIN) ** 2)


def test_a_gain_that_is_a_setting_gives_way_to_the_sky(write, tmp_path, field):
    summary, output = process(write(GAIN=120.0, RDNOISE=5.0), tmp_path)
    assert "likely the gain of 120 electron/adu is a setting of the camera" in summary.warnings[0]
    assert summary.noise_ratio > 4
    with fits.open(output / "field.fits") as hdus:
        variance, header = hdus["VARIANCE"].data, hdus[0].header
    assert np.median(variance) == pytest.approx(sky_noise(field) ** 2, rel=0.06)
    assert header["GAIN"] == pytest.approx(GAIN, rel=0.1)
    assert summary.n_cosmic_ray_pixel < 20


def test_the_electronic_gain_stands_above_a_setting(write, tmp_path, field):
    summary, output = process(write(GAIN=120.0, EGAIN=GAIN, READNOIS=5.0), tmp_path)
    variance = fits.getdata(output / "field.fits", "VARIANCE")
    np.testing.assert_allclose(variance, field.exposure.masked_image.image / GAIN + 6.25, rtol=1e-4)
    assert not any("gain" in warning for warning in summary.warnings)
    assert summary.noise_ratio == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("scale", "offset", "cards", "cause"),
    [
        (1 / 300, 0, {"EXPTIME": 300.0}, r"counts per second \(300 s\)"),
        (GAIN / 300, 0, {"EXPTIME": 300.0}, r"electrons per second \(300 s\)"),
        (1 / 300, -100, {"EXPTIME": 300.0}, r"counts per second \(300 s\), and the sky was subtracted"),
        (GAIN, 0, {}, "the image is in electrons already"),
        (1, -100, {}, "likely the sky was subtracted from the image before"),
        (1e-4, 0, {}, "likely the image was rescaled"),
        (1, 1000, {}, "with the gain .* the noise fits|pedestal"),
    ],
)
def test_noise_that_gain_and_read_noise_do_not_predict_is_measured(write, tmp_path, field, scale, offset, cards, cause):
    image = ((field.exposure.masked_image.image + offset) * scale).astype(np.float32)
    summary, output = process(write(image, GAIN=GAIN, RDNOISE=5.0, **cards), tmp_path)
    assert re.search(cause, summary.warnings[0])
    assert "The measured noise is used" in summary.warnings[0]
    variance = fits.getdata(output / "field.fits", "VARIANCE")
    assert np.median(variance) == pytest.approx((scale * sky_noise(field)) ** 2, rel=0.08)


def test_an_unknown_read_noise_is_what_the_sky_has_beyond_its_light(write, tmp_path, field):
    _, output = process(write(GAIN=GAIN), tmp_path)
    assert fits.getheader(output / "field.fits")["RDNOISE"] == pytest.approx(5.0, abs=1.0)


def test_padding_is_no_data_and_does_not_change_the_catalog(write, tmp_path, field):
    image = field.exposure.masked_image.image.copy()
    image[:, :100] = 0
    padding = image == 0
    holes = np.s_[40:280:40, 150:300:50]  # as stacks have where no exposure has a value
    image[holes] = 0
    summary, output = process(write(image, GAIN=GAIN, RDNOISE=5.0), tmp_path)
    assert summary.warnings[0].startswith("31.2 % of the pixels have exactly equal neighbors (value 0)")
    with fits.open(output / "field.fits") as hdus:
        mask, header = hdus["MASK"].data, hdus["MASK"].header
    np.testing.assert_array_equal(mask & (1 << header["MP_NO_DATA"]) != 0, padding)
    assert ((mask[holes] & (1 << header["MP_INTRP"])) != 0).all()
    assert not (mask[holes] & (1 << header["MP_CR"])).any()
    table = read_source_table(output)
    seen = field.x > 120
    distance = np.hypot(*(np.asarray(table[f"base_SdssCentroid_{c}"]) - getattr(field, c)[seen, None] for c in "xy"))
    assert (distance.min(1) < 1).mean() > 0.9
    # the star that the padding cuts through may be found beside its place
    assert len(table) <= seen.sum() + 3


def test_settings_stand_above_the_header(write, tmp_path):
    path = write(GAIN=99.0, RDNOISE=0.0)
    summary, output = process(path, tmp_path, gain=GAIN, read_noise=5.0)
    variance = fits.getdata(output / "field.fits", "VARIANCE")
    image = fits.getdata(path)
    np.testing.assert_allclose(variance, image / GAIN + 6.25, rtol=1e-4)
    assert not any("gain" in warning for warning in summary.warnings)


def test_a_sky_that_was_subtracted_keeps_its_noise(write, tmp_path, field):
    image = field.exposure.masked_image.image - 100
    _, output = process(write(image, GAIN=GAIN), tmp_path, background_subtracted=True)
    variance = fits.getdata(output / "field.fits", "VARIANCE")
    assert np.median(variance) == pytest.approx(56.25, rel=0.1)
    brightest = np.unravel_index(np.argmax(image), SHAPE)
    assert variance[brightest] == pytest.approx(image[brightest] / GAIN + 56.25, rel=0.05)


def test_the_variance_can_be_that_of_the_sky_alone(write, tmp_path):
    summary, output = process(write(GAIN=GAIN), tmp_path, variance_from_gain=False)
    assert np.ptp(fits.getdata(output / "field.fits", "VARIANCE")) == 0
    assert not any("gain" in warning for warning in summary.warnings)


@pytest.mark.parametrize(
    ("unit", "cards", "scale", "note"),
    [
        ("adu", {"GAIN": 2.0}, 1.0, "gain 2 electrons for 1 adu (GAIN)"),
        ("electron", {"GAIN": 1.7}, 2.0, "gain 1 electrons for 1 electron (the image is in electron)"),
        (
            "electron/s",
            {"GAIN": 1.7, "EXPOSURE": 50},
            2 / 50,
            "gain 50 electrons for 1 electron/s (the image is in electron/s, exposed for 50 s)",
        ),
        (
            "ADU/sec",
            {"EGAIN": 2.0, "GAIN": 130, "EXPTIME": "50."},
            1 / 50,
            "gain 100 electrons for 1 adu/s (the image is in adu/s, exposed for 50 s, EGAIN)",
        ),
    ],
)
def test_units(write, tmp_path, field, unit, cards, scale, note):
    image = (field.exposure.masked_image.image * scale).astype(np.float32)
    summary, output = process(write(image, BUNIT=unit, RDNOISE=5.0, **cards, **WCS_CARDS), tmp_path)
    table = read_source_table(output)
    rows = star_rows(table, field)
    column = table["base_CircularApertureFlux_12_0_instFlux"]
    flux, error = (np.asarray(table[f"base_CircularApertureFlux_12_0_instFlux{end}"])[rows] for end in ("", "Err"))
    pull = (flux - scale * field.flux * Moffat(3.2).within(12)) / error
    assert pull.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * len(rows)))
    assert note in summary.notes
    assert not any("gain" in warning for warning in summary.warnings)
    name = note.split(" for 1 ")[1].split(" ")[0]
    with fits.open(output / "field.fits") as hdus:
        assert hdus["IMAGE"].header["BUNIT"] == name
        assert hdus["VARIANCE"].header["BUNIT"].startswith(f"{name.split('/')[0]}2")
    assert name == "adu" or str(column.unit).replace(" ", "") == name.replace("electron", "ct")


def test_a_file_with_its_own_planes(write, tmp_path, field):
    image = field.exposure.masked_image.image
    weight = np.full(SHAPE, 7.0, np.float32)
    weight[:, 160:] = 3.5  # the noise there is the same: the map says so
    weight[100:103, 50:60] = 0
    path = write(None, name="empty.fits")
    gain = fits.Header({"GAIN": GAIN, "RDNOISE": 5.0})
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(image, gain, name="SCI"), fits.ImageHDU(weight, name="WHT")]
    fits.HDUList(hdus).writeto(path, overwrite=True)
    summary, output = process(path, tmp_path, do_calibrate=False, characterize={"write_exposure": True})
    with fits.open(output / "empty" / "icExp.fits") as hdus:
        variance, bad = hdus["VARIANCE"].data, hdus["MASK"].data & (1 << hdus["MASK"].header["MP_BAD"]) != 0
    assert np.median(variance[:, 200:]) == pytest.approx(2 * np.median(variance[:, :150]), rel=0.01)
    assert bad[100:103, 50:60].all()
    brightest = np.unravel_index(np.argmax(np.where(weight == 7, image, 0)), SHAPE)
    assert variance[brightest] > 3 * np.median(variance[:, :150]), "the light of a star is not in the map"
    assert summary.notes[:2] == [
        "image HDU 1 'SCI', 320 x 300 pixels",
        "uncertainty HDU 2 'WHT' (relative weight), 0.031 % without",
    ]
    assert yaml.safe_load((output / "empty" / "metadata.yaml").read_text())["notes"] == summary.notes


@pytest.mark.parametrize("how", ["header", "setting"])
def test_saturated_and_low_pixels_are_masked(write, tmp_path, field, how):
    image = field.exposure.masked_image.image.copy()
    image[100, :50] = -500
    cards, settings = ({"SATURATE": 8000.0}, {}) if how == "header" else ({"SATURATE": 1e6}, {"saturation": 8000.0})
    _, output = process(write(image, GAIN=GAIN, **cards), tmp_path, low=0.0, **settings)
    with fits.open(output / "field.fits") as hdus:
        mask, header = hdus["MASK"].data, hdus["MASK"].header
    saturated = mask & (1 << header["MP_SAT"]) != 0
    np.testing.assert_array_equal(saturated, image >= 8000)
    assert fits.getheader(output / "field.fits")["SATURATE"] == 8000.0
    low = mask & (1 << header["MP_BAD"]) != 0
    assert low[100, :50].all()
    assert low.sum() == 50
    flags = np.asarray(read_source_table(output)["base_PixelFlags_flag_saturated"])
    assert 0 < flags.sum() < len(flags)


def test_pixels_that_are_no_numbers_are_masked_and_passed_over(write, tmp_path, field):
    image = field.exposure.masked_image.image.copy()
    image[:, 200:210] = np.nan
    image[50, 50] = np.inf
    _, output = process(write(image, GAIN=GAIN), tmp_path)
    with fits.open(output / "field.fits") as hdus:
        mask, header, variance = hdus["MASK"].data, hdus["MASK"].header, hdus["VARIANCE"].data
    for plane in ("NO_DATA", "UNMASKEDNAN"):
        found = mask & (1 << header[f"MP_{plane}"]) != 0
        found[50, 50] |= plane == "NO_DATA"  # a single pixel is filled
        np.testing.assert_array_equal(found, ~np.isfinite(image))
    assert np.isfinite(variance).all()
    assert (variance > 0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_image_of_no_numbers_is_refused(write, tmp_path, value):
    path = write(np.full(SHAPE, value, np.float32))
    with pytest.raises(FileFormatError, match=r"field\.fits: every pixel is NaN or infinite: there is no image"):
        process(path, tmp_path)


def test_an_image_of_one_value_has_nothing_to_measure(write, tmp_path):
    with pytest.raises(MeasurementError, match=r"100 % of the pixels have exactly equal neighbors .*-c hdu=NUMBER"):
        process(write(np.full(SHAPE, 7, np.uint16), GAIN=GAIN), tmp_path)


def test_counts_of_eight_bits_are_measured(write, tmp_path, field):
    # a guide camera: a sky of a fraction of a count; a part of the field, since all of its noise is deblended
    pixels = field.exposure.masked_image.image[:240, :240]
    image = np.clip(np.rint((pixels - 100) / 40 + 0.3), 0, 255).astype(np.uint8)
    assert np.median(image) == 0
    summary, output = process(write(image), tmp_path)
    assert summary.n_source >= 15
    assert (fits.getdata(output / "field.fits", "VARIANCE") > 0).all()


@pytest.mark.parametrize("folder", [".", "sub/.."])
def test_the_image_itself_is_never_replaced(write, folder):
    path = write(GAIN=GAIN)
    before = path.read_bytes()
    (path.parent / "sub").mkdir()
    with pytest.raises(OutputError, match=r"the result would replace the image .*field\.fits itself; choose another"):
        process_file(path, path.parent / folder, config())
    assert path.read_bytes() == before


@pytest.mark.parametrize(("name", "stem"), [("a.b.fits.gz", "a.b"), ("c.fit", "c"), ("d", "d")])
def test_outputs_are_named_after_the_image(write, tmp_path, name, stem):
    _, output = process(write(name=name, GAIN=GAIN), tmp_path, do_calibrate=False)
    assert (output / stem / "icSrc.fits").is_file()
    assert (output / stem / "metadata.yaml").is_file()
    assert not (output / f"{stem}.fits").exists()


def test_an_image_without_stars_gets_the_psf_of_the_last_good_one(write, tmp_path, field):
    cards = {"GAIN": GAIN, "RDNOISE": 5.0, "INSTRUME": "STL"}
    good, _ = process(write(**cards, **{"DATE-OBS": "2026-01-03T02:04:00"}), tmp_path)
    sky = np.random.default_rng(2).normal(100.0, 8.0, SHAPE).astype(np.float32)
    summary, output = process(write(sky, name="clouds.fits", **cards), tmp_path)
    assert (good.psf_origin, summary.psf_origin) == ("stars", "nearest good exposure")
    assert summary.psf_exposure.startswith("field.fits of 2026-01-03T02:04:00")
    assert summary.fwhm == pytest.approx(good.fwhm, rel=1e-3)
    assert fits.getheader(output / "clouds" / "src.fits", 1)["PSFORIG"] == "nearest good exposure"
    assert (read_source_table(output)["psf_rung"] == 1).all()


def test_a_tenth_of_a_photon_a_pixel_is_a_sky(write, tmp_path):
    field = star_field(12, (240, 240), sky=0.1, gain=1.0, read_noise=0.0, fluxes=(60, 3000), profile=Moffat(3.2))
    pixels = np.rint(field.exposure.masked_image.image).astype(np.int32)
    summary, _ = process(write(pixels, GAIN=1.0, RDNOISE=0.01), tmp_path)
    assert len(field.flux) - 1 <= summary.n_source <= len(field.flux)
    assert not [text for text in summary.warnings if "mosaic" in text or "gain and read noise" in text]


@pytest.mark.parametrize(
    ("cards", "said"),
    [
        ({"IMAGETYP": "Bias Frame"}, "not an image of the sky: IMAGETYP = 'Bias Frame' says that it is a bias frame; "),
        ({"OBSTYPE": "OBJECT"}, "no source stands out, so nothing was measured: not an image of the sky (a bias, "),
    ],
)
def test_a_bias_is_one_sentence(write, tmp_path, cards, said):
    bias = np.random.default_rng(4).normal(900.0, 4.0, SHAPE).astype(np.float32)
    summary, _ = process(write(bias, name="bias.fits", GAIN=GAIN, **cards), tmp_path)
    assert len(summary.warnings) == 1
    assert summary.warnings[0].startswith(said)


def test_a_reference_catalog_gives_the_zero_point(write, tmp_path, field, monkeypatch):
    asked = []

    def load(folder, *, ra, dec, radius):
        asked.append((folder.name, ra, dec, radius))
        return reference(field)

    monkeypatch.setattr("obs.single_image.load_reference_catalog", load)
    path = write(GAIN=GAIN, FILTER="r", EXPTIME=10.0, **WCS_CARDS)
    summary, output = process(path, tmp_path, reference_folder="refs")
    assert asked[0][0] == "refs"
    assert asked[0][1:3] == pytest.approx((150.0, 2.0), abs=0.01)
    assert summary.zero_point == pytest.approx(28.0, abs=0.01)
    assert summary.n_zero_point >= 15
    assert summary.warnings == []
    assert (output / "field" / "srcMatch.fits").is_file()
    assert fits.getheader(output / "field.fits")["MAGZERO_NOBJ"] == summary.n_zero_point


def reference(field):
    wcs = TanSipWcs(crval=(150.0, 2.0), crpix=(159.0, 149.0), cd=np.diag([-1e-4, 1e-4]))
    ra, dec = wcs.pixel_to_sky(x=field.x, y=field.y)
    catalog = Catalog()
    catalog.add("id", np.arange(len(ra)))
    catalog.add("coord_ra", ra, "deg")
    catalog.add("coord_dec", dec, "deg")
    flux = PhotoCalib.from_zero_point(28.0).nanojansky(field.flux * Moffat(3.2).within(12))
    catalog.add("r_flux", flux, "nJy")
    return catalog


def test_the_seeing_is_known_where_the_wcs_is_found_late(write, tmp_path, field, monkeypatch):
    monkeypatch.setattr("obs.single_image.load_reference_catalog", lambda folder, **circle: reference(field))
    summary, output = process(write(GAIN=GAIN, FILTER="r"), tmp_path, reference_folder="refs")
    assert summary.warnings[0] == "the exposure came without a WCS; it was found by the pattern of its stars"
    assert summary.seeing == pytest.approx(0.36 * summary.fwhm, rel=1e-3)
    assert fits.getheader(output / "field.fits")["SEEING"] == pytest.approx(summary.seeing)
