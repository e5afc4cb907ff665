"""Pictures: their pixels and their words."""

import io
from dataclasses import replace

import numpy as np
import pytest
from frames import SHAPE, catalog, exposure
from PIL import Image

from obs.display.align import align
from obs.display.compare import blink, difference
from obs.display.draw import draw_view
from obs.display.look import Look
from obs.display.raw_view import view_of_raw
from obs.display.regions import outline_regions, region_file, region_text, source_regions
from obs.display.rgb import combine_bands, draw_rgb
from obs.display.sky_marks import nice_angle, sky_directions
from obs.display.view import View, make_view
from obs.display.zoom import parse_zoom
from obs.errors import ConfigError, DataIdError, DatasetNotFoundError, OutputError
from obs.geom import Box
from obs.image.background import Background
from obs.image.mask import Mask
from obs.image.raw import Raw
from obs.instrument.discovery import load_instrument


def words_of(picture):
    """Return all words in a picture."""
    figure = picture.figure
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    labels = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    axes = figure.axes[0]
    bars = [child.get_ylabel() for child in axes.child_axes]
    return [axes.get_title(), axes.get_xlabel(), axes.get_ylabel(), *bars, *texts, *labels]


def assert_nothing_is_cut_off(picture):
    figure = picture.figure
    figure.draw_without_rendering()
    whole, words = figure.bbox, figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert words.x0 >= whole.x0 - 1
    assert words.y0 >= whole.y0 - 1
    assert words.x1 <= whole.x1 + 1
    assert words.y1 <= whole.y1 + 1


@pytest.fixture(scope="module")
def picture():
    return draw_view(make_view(exposure(), "calexp visit=1"), Look(sources="ellipses"), catalog())


def test_every_axis_has_a_quantity_and_a_unit(picture):
    words = words_of(picture)
    assert words[:4] == ["calexp visit=1", "x (pixel)", "y (pixel)", "pixel value (adu)"]
    assert {"N", "E", "2 arcsec"} <= set(words)
    assert "CR 0.21 %" in words
    assert "3 sources, 3 sigma of the moments (1 without: crosses)" in words
    assert_nothing_is_cut_off(picture)


def test_the_picture_shows_the_pixels(picture, tmp_path):
    array = np.asarray(picture.figure.axes[0].images[0].get_array())
    np.testing.assert_array_equal(array, exposure().masked_image.image)
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert picture.save(tmp_path / "a.svg").read_text().startswith("<?xml")
    assert repr(picture) == "<picture of calexp visit=1: save('file.png') writes it>"


def test_a_format_that_no_picture_has(picture, tmp_path):
    with pytest.raises(OutputError, match=r"expected a name that ends in .png, .jpg"):
        picture.save(tmp_path / "a.fits")


@pytest.mark.parametrize("shape", [(1, 1), (500, 1), (1, 700), (3, 90)])
@pytest.mark.parametrize("value", [np.nan, 7.0])
def test_odd_images(shape, value):
    drawn = draw_view(View(np.full(shape, value, np.float32), "name <script>alert(1)</script> $x^2$ " * 3))
    assert_nothing_is_cut_off(drawn)
    words = words_of(drawn)
    assert "<script>alert(1)</script>" in words[0].replace("\n", " ")
    assert r"\$x^2\$" in words[0].replace("\n", " ")
    assert ("not a number 100 %" in words) == np.isnan(value)
    assert "pixel value (unit unknown)" in words


def test_a_large_image_is_binned_but_its_axes_count_its_pixels():
    view = View(np.random.default_rng(1).normal(1000.0, 9.0, (50, 2500)).astype(np.float32))
    drawn = draw_view(view, Look(largest=1000))
    axes = drawn.figure.axes[0]
    assert axes.images[0].get_array().shape == (17, 834)
    assert axes.get_xlim() == (-0.5, 2499.5)
    assert axes.images[0].get_extent() == [-0.5, 2501.5, -0.5, 50.5]
    levels = axes.images[0].norm
    assert 4 < levels.vmax - levels.vmin < 24  # the noise of means of nine pixels is 3
    drawn.figure.draw_without_rendering()
    assert not axes.child_axes[0].yaxis.get_offset_text().get_text()


def test_a_mask_alone_has_no_color_bar():
    mask = Mask.zeros((20, 30))
    mask.set(np.eye(20, 30, dtype=bool), "CR")
    words = words_of(draw_view(make_view(mask, "fpM")))
    assert not [word for word in words if "unit" in word]


@pytest.mark.parametrize("stretch", ["sqrt", "asinh", "log"])
def test_a_stretch_goes_from_black_to_white(stretch):
    drawn = draw_view(View(np.array([[0.0, 5.0, 10.0]], np.float32)), Look(stretch=stretch, scale="minmax"))
    norm = drawn.figure.axes[0].images[0].norm
    assert norm(0.0) == pytest.approx(0.0)
    assert norm(10.0) == pytest.approx(1.0)
    assert norm(5.0) > 0.6
    assert norm.inverse(norm(5.0)) == pytest.approx(5.0)


def test_settings_out_of_range():
    with pytest.raises(ConfigError, match="transparency: expected 0 to 100, got 101"):
        Look(transparency=101)
    with pytest.raises(ConfigError, match="limits: expected LOW below HIGH, got 2 and 1"):
        Look(limits=(2, 1))
    with pytest.raises(ConfigError, match="stretch: expected linear, sqrt, asinh, log, got 'cubic'"):
        Look(stretch="cubic")
    with pytest.raises(ConfigError, match="matplotlib has no color map 'grey5'; did you mean"):
        draw_view(View(np.zeros((2, 2), np.float32)), Look(colormap="grey5"))


def test_what_is_not_an_image():
    drawn = (
        "src visit=1 is not an image but a Catalog, which cannot be drawn; draw its sources on their image: --sources"
    )
    with pytest.raises(DatasetNotFoundError, match=drawn):
        make_view(catalog(), "src visit=1")
    with pytest.raises(DatasetNotFoundError, match=r"this is not an image but an array of shape \(3,\), float64"):
        make_view(np.zeros(3))


def test_other_images():
    level, error = np.full((2, 2), 5, np.float32), np.ones((2, 2), np.float32)
    mesh = np.array([2.0, 6.0])
    background = Background(level, error, mesh, mesh, shape=(9, 9))
    view = make_view([background, background], "calexpBackground", "adu")
    assert view.image[4, 4] == pytest.approx(10.0)
    assert words_of(draw_view(view))[3] == "background level (adu)"
    assert make_view(exposure().masked_image.mask).mask is not None
    stamp = make_view(exposure().psf)
    assert (stamp.x_min, stamp.shape) == (-10, (21, 21))
    assert stamp.image.sum() == pytest.approx(1.0, abs=1e-3)


def test_a_part_of_the_image():
    view = make_view(exposure()).cut(Box(10, 20, 200, 30))
    assert (view.x_min, view.y_min, view.shape) == (10, 20, (30, 70))
    ra, dec = exposure().wcs.pixel_to_sky(x=10, y=20)
    assert view.wcs.sky_to_pixel(ra=ra, dec=dec) == pytest.approx((0.0, 0.0), abs=1e-6)
    drawn = draw_view(view, Look(sources="symbols"), catalog())
    assert drawn.figure.axes[0].get_xlim() == (9.5, 79.5)
    assert "1 source" in words_of(drawn)
    with pytest.raises(DatasetNotFoundError, match="x 900 to 909, y 0 to 9 is outside of the image with x 0 to 79"):
        make_view(exposure()).cut(Box(900, 0, 10, 10))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("150,2,4", (150.0, 2.0, 4.0, False)),
        ("10:00:00,+02:00:00,0.5'", (150.0, 2.0, 30.0, False)),
        ("0:0:4,-00:30:00,1 arcmin", (1 / 60, -0.5, 60.0, False)),
        ("30,20,11px", (30.0, 20.0, 11.0, True)),
    ],
)
def test_words_of_a_zoom(text, expected):
    zoom = parse_zoom(text)
    assert (zoom.x, zoom.y, zoom.size, zoom.in_pixels) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text", ["150,2", "150,2,x", "150,92,3", "a,2,3", "1,2,-3", "1,2,0px", "nan,2,3", "1,2,3,4", ""]
)
def test_words_of_no_zoom(text):
    with pytest.raises(DataIdError, match=r"zoom: expected RA,DEC,SIZE such as 150\.1,2\.2,60"):
        parse_zoom(text)


def test_the_box_of_a_zoom():
    assert parse_zoom("150,2,2.2").box(exposure().wcs) == Box(35, 25, 11, 11)
    with pytest.raises(DatasetNotFoundError, match="the image has no WCS: name the part in pixels"):
        parse_zoom("150,2,2.2").box(None)
    with pytest.raises(DatasetNotFoundError, match=r"ra 330\.00000, dec -2\.00000 is outside of the image"):
        parse_zoom("330,-2,2.2").box(exposure().wcs)


def test_north_and_east():
    north, east = sky_directions(exposure().wcs, 40.0, 30.0)
    np.testing.assert_allclose(north, [0.0, 1.0], atol=1e-6)
    np.testing.assert_allclose(east, [-1.0, 0.0], atol=1e-6)
    assert [nice_angle(value)[1] for value in (0.07, 3.0, 59.0, 60.0, 700.0, 7300.0)] == [
        "0.05 arcsec",
        "2 arcsec",
        "50 arcsec",
        "1 arcmin",
        "10 arcmin",
        "2 deg",
    ]


def test_images_on_the_same_pixels_are_not_touched():
    first, second = make_view(exposure()), make_view(exposure(seed=2))
    assert align(second, first) is second


def test_an_image_is_moved_to_the_pixels_of_another():
    first, moved = make_view(exposure()), make_view(exposure(shift=5.0))
    aligned = align(moved, first)
    # stars are where they are in the first image
    y, x = np.unravel_index(np.nanargmax(aligned.image), SHAPE)
    assert (int(x), int(y)) in {(20, 30), (55, 12), (70, 50)}
    assert np.isnan(aligned.image[:, -5:]).all()
    assert aligned.mask is None
    part = first.cut(Box(10, 5, 30, 20))
    assert align(moved, part).full_shape == part.full_shape == (20, 30)


def test_images_that_have_nothing_in_common():
    first = make_view(exposure(), "A")
    with pytest.raises(DatasetNotFoundError, match="B has 5 x 5 pixels and A 80 x 60: to be compared, images need the"):
        align(View(np.zeros((5, 5), np.float32), "B"), first)
    with pytest.raises(DatasetNotFoundError, match="B and A do not overlap"):
        align(make_view(_far(), "B"), first)


def _far():
    far = exposure()
    far.wcs = far.wcs.shifted(x=5000.0, y=0.0)
    return far


def test_a_difference_knows_zero_points():
    first, second = make_view(exposure(), "A"), make_view(exposure(zero_point=27.0 + 2.5 * np.log10(2.0)), "B")
    assert difference(first, first).figure.axes[0].get_title().endswith("no pixel differs")
    drawn = difference(first, second)
    array = np.asarray(drawn.figure.axes[0].images[0].get_array())
    np.testing.assert_allclose(array, 0.5 * first.image, rtol=1e-5, atol=1e-5)
    assert words_of(drawn)[0] == "A minus B times 0.5, to the same zero point"
    low, high = drawn.figure.axes[0].images[0].get_clim()
    assert low == -high


def test_images_blink(tmp_path):
    animation = blink(make_view(exposure(), "A"), make_view(exposure(shift=5.0), "B"))
    path = animation.save(tmp_path / "blink.gif")
    with Image.open(path) as image:
        assert image.n_frames == 2
    sizes = {Image.open(io.BytesIO(frame)).size for frame in animation.frames}
    assert len(sizes) == 1
    with Image.open(animation.save(tmp_path / "blink.png")) as image:
        assert image.n_frames == 2
    with pytest.raises(OutputError, match=r"expected a name that ends in .png, .gif, .webp, got 'blink.pdf'"):
        animation.save(tmp_path / "blink.pdf")


@pytest.mark.parametrize(("factor", "unit", "is_same"), [(1.3, "", True), (30.0, "", False), (1.3, "s", False)])
def test_images_that_are_alike_blink_with_the_same_gray(factor, unit, is_same, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "obs.display.compare.draw_view", lambda view, look: drawn.append(draw_view(view, look)) or drawn[-1]
    )
    first = make_view(exposure(), "A")
    blink(first, replace(first, image=first.image * np.float32(factor), unit=unit or first.unit))
    one, two = (picture.figure.axes[0].images[0].get_clim() for picture in drawn)
    assert (one == two) == is_same


def test_colors_of_three_bands():
    red = make_view(exposure(zero_point=25.0), "i")
    green, blue = (make_view(exposure(seed=seed, zero_point=27.0), name) for seed, name in ((2, "r"), (3, "g")))
    colors = combine_bands([red, green, blue])
    assert colors.shape == (*SHAPE, 3)
    star = colors[30, 20].astype(int)
    assert star[0] > star[1] + 50  # as many counts with a brighter zero point are more light
    drawn = draw_rgb([red, green, blue])
    assert words_of(drawn)[0] == "red i, green r, blue g"
    assert_nothing_is_cut_off(drawn)
    for view in (red, green):  # a patch of which exposures fill a part, and one hole in a band
        view.mask.array[:, 40:] |= view.mask.bits("NO_DATA")
    green.mask.array[7, 3] |= green.mask.bits("NO_DATA")
    drawn = draw_rgb([red, green, blue])
    assert drawn.figure.axes[0].get_xlim() == (-0.5, 39.5)
    colors = np.asarray(drawn.figure.axes[0].images[0].get_array())
    assert colors.shape == (SHAPE[0], 40, 3)
    assert colors[7, 3].tolist() == [0, 0, 0]
    with pytest.raises(DataIdError, match="a color picture needs three images, red, green and blue, or two; got 1"):
        draw_rgb([red])


def test_a_raw_frame_with_its_amplifiers():
    detector = load_instrument("hsc").load_camera().detector(49)
    raw = Raw(np.zeros(detector.raw_shape, np.uint16))
    view = view_of_raw(raw, detector, "raw visit=1")
    words = words_of(draw_view(view))
    assert {"data", "serial overscan", "prescan", *(amp.name for amp in detector.amplifiers)} <= set(words)
    box = detector.amplifiers[0].raw_data_bbox
    inside = words_of(draw_view(view.cut(Box(box.x_min + 10, box.y_min + 10, 50, 50))))
    assert [word for word in inside if word in ("data", "serial overscan", "parallel overscan", "prescan")] == ["data"]


def test_regions():
    text = region_file(source_regions(catalog(), "ellipses"))
    assert "image\nellipse(21.000,31.000,6.000,6.000,0.00) # tag={11}\n" in text
    assert "ellipse(56.000,13.000,9.000,6.000,0.00) # tag={12}\n" in text
    assert "circle(71.000,51.000,6) # tag={13}\n" in text
    assert region_text("a}\n{b") == "{a   b}"
    detector = load_instrument("hsc").load_camera().detector(49)
    boxes = list(outline_regions(view_of_raw(Raw(np.zeros(detector.raw_shape, np.uint16)), detector).outlines))
    assert boxes[0].startswith("box(")
