import hashlib
import struct

import numpy as np
import pytest
from astropy.wcs import WCS

from obs.errors import ConfigError, DataIdError, FileFormatError
from obs.sky_vectors import sky_vectors
from obs.skymap.tract import Tract
from obs.skymap.types import describe_sky_map, make_sky_map, restore_sky_map

COARSE = {"pixel_scale": 10.0, "patch_width": 500, "patch_height": 400, "patch_border": 10}
WHOLE_SKY = {
    "rings": {"n_ring": 10, "tract_overlap": 1.0},
    "dodecahedron": {},
    "dodecahedron with faces on the poles": {"tracts_on_poles": True},
    "healpix": {"log2_nside": 1},
    "healpix nested": {"log2_nside": 1, "nest": True},
}


@pytest.fixture(scope="module")
def sky():
    rng = np.random.default_rng(1)
    ra = np.concatenate([rng.uniform(0, 360, 2000), [0.0, 360.0, 0.0, 0.0]])
    dec = np.concatenate([np.rad2deg(np.arcsin(rng.uniform(-1, 1, 2000))), [0.0, 0.0, 90.0, -90.0]])
    return ra, dec


@pytest.mark.parametrize("name", WHOLE_SKY)
def test_each_position_is_in_a_patch_of_its_tract(name, sky):
    sky_map = make_sky_map(name.split()[0], WHOLE_SKY[name] | COARSE)
    ra, dec = sky
    numbers = sky_map.find_tract(ra=ra, dec=dec)
    for number in np.unique(numbers):
        chosen = numbers == number
        found = sky_map.tract(int(number)).find_patch(ra=ra[chosen], dec=dec[chosen])
        assert (found >= 0).all()


@pytest.mark.parametrize("pole", [False, True])
def test_faces_of_the_dodecahedron_are_regular(pole):
    centers = sky_vectors(*make_sky_map("dodeca", {"withTractsOnPoles": pole}).centers().T)
    cosines = np.sort(centers @ centers.T, axis=1)
    np.testing.assert_allclose(cosines[:, 6:11], 1 / np.sqrt(5), atol=1e-12)
    assert np.all(np.diff(np.round(centers[:, 2], 3)) <= 0)


def test_the_published_rings_of_hsc():
    sky_map = make_sky_map("rings", {"numRings": 120, "pixelScale": 0.168})
    assert len(sky_map) == 18938
    assert sky_map.find_tract(ra=[150.1], dec=[2.2]).tolist() == [9813]  # COSMOS
    assert sky_map.tract(9813).n_patch == (9, 9)
    assert sky_map.tract(0).center == (0.0, -90.0)
    assert sky_map.tract(18937).center == (0.0, 90.0)


def test_patches_tile_a_tract():
    tract = make_sky_map("equatorial", {"pixel_scale": 60.0, "patch_width": 700, "patch_height": 90}).tract(2)
    counts = np.zeros(tract.box.shape, int)
    for patch in tract:
        counts[patch.inner_box.slices] += 1
        assert patch.outer_box.contains(patch.inner_box)
        assert tract.box.contains(patch.outer_box)
    assert (counts == 1).all()
    assert tract.patch("1,0") == tract.patch((1, 0)) == tract.patch(1)
    assert tract.patch(1).outer_box.x_min == 600


def test_patches_that_do_not_exist():
    tract = make_sky_map("discrete", {"ra": [10.0], "dec": [0.0], "radius": [0.1]}).tract(0)
    with pytest.raises(DataIdError, match=r"patch=1,0: tract 0 has the patches 0,0 to 0,0"):
        tract.patch("1,0")
    with pytest.raises(DataIdError, match=r"patch=3-4: a patch is its column and row, such as patch=3,4"):
        tract.patch("3-4")


@pytest.mark.parametrize("projection", ["TAN", "STG", "ZEA"])
@pytest.mark.parametrize("center", [(0.0, 89.9), (359.9, -40.0), (200.0, 0.0)])
def test_pixels_agree_with_astropy(projection, center):
    settings = {"ra": [center[0]], "dec": [center[1]], "radius": [1.0], "projection": projection, "rotation": 30.0}
    tract = make_sky_map("discrete", settings | {"pixel_scale": 2.0}).tract(0)
    other = WCS(naxis=2)
    other.wcs.ctype = [f"RA---{projection}", f"DEC--{projection}"]
    other.wcs.crval, other.wcs.crpix = tract.wcs.crval, np.add(tract.wcs.crpix, 1)
    other.wcs.cd = tract.wcs.cd
    x, y = np.array([0.0, 500.0, 3000.0]), np.array([0.0, 1500.0, 50.0])
    ra, dec = tract.wcs.pixel_to_sky(x=x, y=y)
    np.testing.assert_allclose(np.stack([ra, dec]), other.wcs_pix2world(x, y, 0), atol=1e-10)
    np.testing.assert_allclose(np.stack(tract.wcs.sky_to_pixel(ra=ra, dec=dec)), [x, y], atol=1e-6)
    fitted = tract.wcs.to_tan_sip(tract.box)
    np.testing.assert_allclose(np.stack(fitted.sky_to_pixel(ra=ra, dec=dec)), [x, y], atol=1e-3)


def test_the_hash_is_that_of_the_stack():
    packed = struct.pack("<iiidd3sd", 4000, 4000, 100, 1 / 60, 0.168, b"TAN", 0.0) + struct.pack("<id", 120, 0.0)
    sky_map = make_sky_map("rings", {"numRings": 120, "pixelScale": 0.168})
    assert sky_map.sha1 == hashlib.sha1(b"RingsSkyMap" + packed, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("name", WHOLE_SKY)
def test_text_form_and_back(name):
    sky_map = make_sky_map(name.split()[0], WHOLE_SKY[name])
    again = restore_sky_map(describe_sky_map(sky_map), "skyMap.yaml")
    assert (again.sha1, len(again)) == (sky_map.sha1, len(sky_map))


def test_a_sky_map_that_was_edited_is_refused():
    data = describe_sky_map(make_sky_map("rings", {"n_ring": 12}))
    data["settings"]["n_ring"] = 13
    with pytest.raises(FileFormatError, match=r"skyMap.yaml: settings and sha1 do not fit: .* obs skymap make"):
        restore_sky_map(data, "skyMap.yaml")
    without_hash = {name: value for name, value in data.items() if name != "sha1"}
    for other in ([1, 2], without_hash, data | {"settings": None}):
        with pytest.raises(FileFormatError, match=r"skyMap\.yaml: is not a whole sky map: it needs 'type', 'settings'"):
            restore_sky_map(other, "skyMap.yaml")


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("ring", {}, r"no type of sky maps 'ring'; did you mean 'rings'\?"),
        ("rings", {"n_rings": 3}, r"no setting 'n_rings'; did you mean 'n_ring'\?"),
        ("rings", {}, r"a rings sky map needs a value for n_ring \(.+\): -c n_ring=VALUE"),
        ("rings", {"n_ring": 0}, r"n_ring: Input should be greater than or equal to 1"),
        ("rings", {"n_ring": 3, "projection": "CEA"}, "CEA is for equatorial sky maps"),
        ("discrete", {"ra": [1.0, 2.0], "dec": [1.0], "radius": [1.0]}, "ra, dec and radius have 2, 1 and 1 values"),
        ("discrete", {"ra": [1.0], "dec": [91.0], "radius": [1.0]}, "declinations are from -90 to 90"),
        ("equatorial", {"decRange": [1.0, -1.0]}, "dec_min must be below dec_max"),
        ("equatorial", {"rotation": float("nan")}, "rotation must be finite, got nan"),
        ("equatorial", {"pixelScale": float("inf")}, "pixel_scale must be finite, got inf"),
        ("discrete", {"ra": [float("inf")], "dec": [0.0], "radius": [1.0]}, "ra must be finite"),
        ("discrete", {"ra": [1e300], "dec": [0.0], "radius": [1.0]}, "right ascensions are from -360 to 360 deg"),
        ("rings", {"n_ring": 3, "pixel_scale": 1e9}, "pixel_scale: Input should be less than or equal to 3600"),
        ("rings", {"n_ring": 3, "patchInnerDimensions": 4000}, "patchInnerDimensions: expected two numbers, got 4000"),
        ("rings", {"n_ring": 3, "patch_width": 10**30}, "patch_width: Input should be less than or equal to 100000"),
    ],
)
def test_settings_that_cannot_be(kind, settings, message):
    with pytest.raises(ConfigError, match=message):
        make_sky_map(kind, settings)


def test_a_tract_of_too_many_patches_is_refused():
    made = make_sky_map("discrete", {"ra": [1.0], "dec": [1.0], "radius": [1.0], "pixel_scale": 1e-9})
    with pytest.raises(ConfigError, match=r"a tract has \d+ x \d+ patches of 4000 x 4000 pixels, at most 1000000"):
        made.tract(0)


def test_tracts_that_overlap_hold_a_position_both():
    sky_map = make_sky_map("rings", {"n_ring": 10, "tract_overlap": 1.0} | COARSE)
    (first, dec), (second, _) = sky_map.tract(60).center, sky_map.tract(61).center
    found = sky_map.tracts_with(ra=[(first + second) / 2], dec=[dec])
    assert {60, 61} <= {tract.number for tract in found}
    with pytest.raises(DataIdError, match="this sky map has the tracts 0 to"):
        sky_map.tract(-1)


def test_patches_between_corners_are_those_of_a_search_through_all():
    tract = Tract(0, (10.0, 20.0), None, (50, 40), 6, (7, 5))
    rng = np.random.default_rng(4)
    for _ in range(40):
        low = rng.uniform(-80, 380, 2)
        high = low + rng.uniform(0, 200, 2)
        found = [patch.index for patch in tract.patches_between(low, high)]
        boxes = [(patch.index, patch.outer_box) for patch in tract]
        sure = [
            index
            for index, box in boxes
            if box.x_min <= high[0] and box.x_max >= low[0] and box.y_min <= high[1] and box.y_max >= low[1]
        ]
        assert set(sure) <= set(found)
        assert found == [index for index, _ in boxes if index in found]
        assert len(found) <= (high[0] - low[0] + 14 + 100) / 50 * (high[1] - low[1] + 14 + 80) / 40
