"""Circles on the sky that the exposures of a repository cover."""

import numpy as np
import pytest

from obs.errors import FileFormatError
from obs.image.visit_info import VisitInfo
from obs.ingest.surveys.fields import field_radius, find_fields
from obs.instrument.discovery import load_instrument
from obs.sky_vectors import sky_vectors


class Reference:
    def __init__(self, place, visit):
        self.place, self.data_id = place, {"visit": visit}

    def get(self, dataset_type):
        assert dataset_type == "raw_md"
        if self.place is None:
            raise FileFormatError("truncated")
        return {"RA": self.place[0], "DEC": self.place[1]}


class Repository:
    """What `find_fields` asks of a Butler, for given pointings."""

    def __init__(self, places, visits=None):
        self.places, self.instrument = places, self
        self.visits = visits or [1] * len(places)
        self.raw_dataset_type = "raw"

    def subset(self, dataset_type):
        return list(map(Reference, self.places, self.visits))

    def get_keys(self, dataset_type):
        return ["visit"]

    def id_keys(self, dataset_type):
        return {"visit", "imageType"}

    def query_metadata(self, dataset_type, keys, data_id=None):
        kinds = {"science": [1], "dark": [2], "flat": [3]}
        return list(kinds) if keys == "imageType" else [(number,) for number in kinds[data_id["imageType"]]]

    def complete_raw(self, data_id):
        return data_id

    def exposure_number(self, data_id):
        return 1

    def make_translator(self):
        return self

    def visit_info(self, header, exposure_id):
        return VisitInfo(boresight_ra=header.get("RA", np.nan), boresight_dec=header.get("DEC", np.nan))


def test_every_pointing_is_covered_by_few_circles():
    random = np.random.default_rng(2)
    places = [(359.9 + random.normal(0, 0.05), 40.0 + random.normal(0, 0.05)) for _ in range(50)] + [(120.0, -5.0)]
    circles, n_without = find_fields(Repository(places), 1.0)
    assert (len(circles), n_without) == (2, 0)
    for ra, dec in places:
        chords = [np.linalg.norm(sky_vectors(ra, dec) - sky_vectors(c.ra, c.dec)) for c in circles]
        assert any(np.degrees(chord) + 1.0 <= c.radius + 1e-2 for chord, c in zip(chords, circles, strict=True))


def test_files_without_a_pointing_are_counted():
    circles, n_without = find_fields(Repository([(10.0, 20.0), None, (np.nan, 20.0)]), 0.5)
    assert [tuple(c) for c in circles] == [(10.0, 20.0, 0.5)]
    assert n_without == 2


def test_only_frames_of_the_sky_count():
    places = [(10.0, 20.0), None, (np.nan, np.nan), (80.0, 5.0)]
    circles, n_without = find_fields(Repository(places, [1, 2, 3, 3]), 0.5)
    assert [tuple(c) for c in circles] == [(10.0, 20.0, 0.5)]
    assert n_without == 0


def test_the_radius_holds_all_detectors():
    radius = field_radius(load_instrument("hsc").load_camera())
    assert radius == pytest.approx(0.9 * 1.2 + 0.1, abs=0.1)
