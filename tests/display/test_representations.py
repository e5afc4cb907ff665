"""What objects say of themselves, on a terminal and in a notebook."""

import re

import numpy as np
import pytest
from astropy import units
from frames import catalog, exposure, wcs

from obs.errors import ConfigError, DatasetNotFoundError
from obs.facts_text import facts_html, facts_text, rows_html
from obs.geom import Box
from obs.image.background import Background
from obs.image.catalog import Catalog, Column
from obs.image.flux_correction import FluxCorrection
from obs.image.mask import Mask
from obs.image.photo_calib import PhotoCalib
from obs.image.visit_info import VisitInfo
from obs.instrument.discovery import load_instrument

SCRIPT = "<script>alert(1)</script>"


TILT = FluxCorrection(np.array([[0.0, 0.0], [0.02, 0.0]]), x_zero=-50, y_zero=-50, x_scale=50, y_scale=50)


def background():
    mesh = np.array([2.0, 6.0])
    return Background(np.full((2, 2), 5, np.float32), np.ones((2, 2), np.float32), mesh, mesh, shape=(9, 9))


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (
            exposure(),
            [
                "80 x 60 pixels",
                "det <b>1</b>",
                "middle at ra 150.0",
                "0.2 arcsec/pixel",
                "27.000 mag",
                "CR 0.21 %",
                "adu",
            ],
        ),
        (exposure().masked_image, ["80 x 60 pixels", "median", "DETECTED 3.1 %"]),
        (exposure().masked_image.mask, ["BAD", "1.25 % of pixels", "in no pixel", "SAT, INTRP"]),
        (exposure().psf, ["PixelPsf of 21 x 21 pixels", "FWHM", "the same everywhere"]),
        (wcs(), ["ra 150.000000, dec +2.000000 deg (ICRS)", "0.2 arcsec/pixel", "left of north", "none"]),
        (catalog(), ["Catalog of 3 rows", "coord_ra", "deg", "base_SdssCentroid_x", "20"]),
        (catalog()[1], ["Record, row 1", "12", "base_PsfFlux_instFlux", "2000 adu"]),
        (background(), ["9 x 9 pixels", "2 x 2, 4 of them known", "5 to 5", "akima"]),
        (PhotoCalib.from_zero_point(27.0, 0.003, "AB"), ["27.0000 +- 0.0030 mag", "57.544 nJy", "AB", "everywhere"]),
        (PhotoCalib(1e9, correction=TILT), ["22.5000 mag", "reference catalog", "polynomial of order 1"]),
        (VisitInfo(exposure_time=30.0, humidity=20.5), ["exposure_time", "30 s", "20.5 %", "time_scale"]),
        (VisitInfo(), ["known", "nothing"]),
        (load_instrument("hsc"), ["Instrument hsc", "HSC-I2", "%(ccd)d", "obs_hsc.translator", "lsst.obs.hsc"]),
        (load_instrument("hsc").load_camera(), ["Camera HSC", "104 SCIENCE", "2048 x 4176", "arcsec/mm"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_facts_in_text_and_html(thing, words):
    text, html = repr(thing), thing._repr_html_()
    for word in words:
        assert word in text
        assert word.replace("<b>", "&lt;b&gt;").replace("</b>", "&lt;/b&gt;") in html
    assert " at 0x" not in text
    assert "<b>" not in html


def test_pictures_are_in_html():
    for thing in (exposure(), exposure().masked_image, exposure().masked_image.mask, exposure().psf, background()):
        assert re.search(r'<img src="data:image/png;base64,iVBOR', thing._repr_html_())


def test_html_is_escaped():
    html = facts_html(SCRIPT, {SCRIPT: SCRIPT}, below=rows_html([SCRIPT], [[SCRIPT]]))
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 5
    image = exposure()
    image.detector_name = image.physical_filter = image.metadata["BUNIT"] = SCRIPT
    image.visit_info = VisitInfo(date_begin=SCRIPT, exposure_time=3.0)
    assert "<script>" not in image._repr_html_()
    assert "<script>" not in image.visit_info._repr_html_()
    stars = catalog()
    stars.add(SCRIPT, [SCRIPT] * 3, SCRIPT, SCRIPT)
    for thing in (stars.select(slice(None)), stars.schema, stars[0], Catalog({SCRIPT: stars.columns[SCRIPT]})):
        assert "<script>" not in thing._repr_html_()


def test_unknown_facts_are_left_out():
    assert facts_text("A", {"b": None, "c": "", "d": 0}) == "A\n  d  0"
    image = exposure()
    image.wcs = image.psf = image.photo_calib = None
    image.masked_image.image[...] = np.nan
    assert "none is a number" in repr(image)
    assert repr(image).count("none") == 4
    assert "10.123457" in repr(Catalog({"x": Column(np.arange(1)), "coord_ra": Column(np.array([10.1234567]), "deg")}))
    assert repr(Catalog()) == "Catalog of 0 rows, 0 columns\n  \n  "
    assert "no plane is set" in repr(type(image.masked_image)(image.masked_image.image, Mask.zeros((60, 80))))


def test_butler_and_data_ref(tmp_path):
    from obs.ingest.repository import make_repository  # noqa: PLC0415 - one test needs it
    from obs.repo.butler import Butler  # noqa: PLC0415 - as above

    make_repository(tmp_path / SCRIPT.replace("/", "-"), load_instrument("necam"))
    butler = Butler(tmp_path / SCRIPT.replace("/", "-"))
    assert re.search("camera +necam", repr(butler))
    assert "nothing: name an output or a rerun" in repr(butler)
    assert "<script>" not in butler._repr_html_()


def test_an_exposure_is_shown_and_cut():
    picture = exposure().show(catalog=catalog(), title="A", planes=("CR",))
    assert "3 sources" in [text.get_text() for text in picture.figure.legends[0].get_texts()]
    part = exposure().cutout(150.0, 2.0, 2.2)
    assert part.shape == (11, 11)
    np.testing.assert_array_equal(part.masked_image.image, exposure().masked_image.image[25:36, 35:46])
    same = exposure().cutout(150.0 * units.deg, 2.0 * units.deg, 2.2 * units.arcsec)
    assert same.shape == exposure().cutout(Box(35, 25, 11, 11)).shape == part.shape
    ra, dec = part.wcs.pixel_to_sky(x=5, y=5)
    assert (float(ra), float(dec)) == pytest.approx((150.0, 2.0), abs=1e-7)
    at_the_border = exposure().cutout(*(float(v) for v in exposure().wcs.pixel_to_sky(x=0, y=0)), 2.2)
    assert at_the_border.shape == (6, 6)
    with pytest.raises(DatasetNotFoundError, match=r"ra 151\.00000, dec 2\.00000 is outside of the image"):
        exposure().cutout(151.0, 2.0, 3.0)
    with pytest.raises(ValueError, match="a cutout takes a Box, or right ascension, declination"):
        exposure().cutout(151.0)


def test_a_catalog_as_users_expect():
    stars = catalog()
    assert stars.get("coord_ra") is stars["coord_ra"]
    assert [record.getX() for record in stars] == [20.0, 55.0, 70.0]
    record = stars[-1]
    assert (record.getId(), record.getY(), record.getPsfFlux(), record["id"]) == (13, 50.0, 1000.0, 13)
    assert record.as_dict()["base_SdssShape_yy"] == 4.0
    assert [len(stars[:2]), len(stars[stars["id"] > 12]), len(stars[[0, 2]]), len(stars[[]])] == [2, 1, 2, 0]
    assert stars[stars["id"] > 12][0].getId() == 13
    assert stars.schema["coord_ra"].unit == "deg"
    assert "coord_ra" in stars.schema
    assert stars.schema.names[0] == "id"
    assert "base_SdssCentroid_x    float64  pixel   Column" in repr(stars.schema)
    with pytest.raises(IndexError, match="row 3 of a catalog of 3 rows"):
        stars[3]
    with pytest.raises(KeyError, match="no column 'base_PsfFlux_instFluxErr'"):
        record.getPsfFluxErr()
    with pytest.raises(TypeError, match="a catalog takes the name of a column, the number of a row, a slice"):
        stars[1.5]


def test_a_catalog_for_pandas():
    pytest.importorskip("pandas")
    stars = catalog()
    stars.add("swapped", np.array([1, 2, 3], ">f4"))
    stars.add("pair", [[1, 2], [3, 4], [5, 6]])
    frame = stars.to_pandas()
    assert list(frame.columns[-3:]) == ["swapped", "pair_0", "pair_1"]
    assert frame["swapped"].dtype.isnative
    assert frame["pair_1"].tolist() == [2, 4, 6]
    assert frame.attrs["units"]["coord_ra"] == "deg"


def test_plots_of_columns():
    stars = catalog()
    stars.add("mag", [20.0, 21.0, np.nan], "mag", "Magnitude")
    picture = stars.plot("mag", "base_SdssShape_xx", color="coord_ra", log="y")
    axes, bar = picture.figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("mag (mag)", "base_SdssShape_xx (pixel2)")
    assert bar.get_ylabel() == "coord_ra (deg)"
    assert axes.get_title() == "2 of 3 rows"
    assert not axes.xaxis_inverted()
    assert stars.plot("id", "mag").figure.axes[0].yaxis_inverted()
    assert axes.get_yscale() == "log"
    assert len(stars.plot("mag", "mag", rows=[True, False, True]).figure.axes[0].collections[0].get_offsets()) == 1
    assert stars[:0].plot("mag", "id").figure.axes[0].get_title() == "0 of 0 rows"
    stars.add("pair", [[1, 2], [3, 4], [5, 6]])
    with pytest.raises(
        ConfigError, match=r"column 'pair' cannot be plotted: expected one number a row, got int64 \(3, 2\)"
    ):
        stars.plot("pair", "mag")
