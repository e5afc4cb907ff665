"""One detector of one visit, with a Butler that keeps everything in memory."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from obs.algorithms.astrometry.match import Matches
from obs.errors import DatasetNotFoundError, FileFormatError, MeasurementError, OutputError, PluginError
from obs.htm import cover_circle
from obs.image.catalog import Catalog
from obs.image.photo_calib import PhotoCalib
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.instrument.instrument import FilterDefinition, Instrument
from obs.pipeline import process_detector
from obs.repo.fits_catalog import write_catalog
from obs.repo.reference_catalog import DEPTH
from obs.repo.reference_choice import find_reference
from obs.stages import match_catalogs
from obs.tasks.process_config import ProcessConfig
from obs.threads import use_threads
from star_field import Moffat, pixel_psf, star_field

SHAPE = (300, 320)
WCS = TanSipWcs(crval=(150.0, 2.0), crpix=(159.0, 149.0), cd=np.diag([-1e-4, 1e-4]))
DATA_ID = {"visit": 5, "ccd": 1}
ALWAYS = ["icSrc", "icExpBackground", "calexp", "calexpBackground", "src"]


def assemble(get, data_id):
    """Stand in for a camera's own signature removal."""
    exposure = get("frame")
    exposure.metadata["VISIT"] = data_id["visit"]
    return exposure


@dataclass
class MemoryButler:
    """Keeps what is put; the frame is made on the spot."""

    instrument: Instrument
    stars: object
    roots: list = field(default_factory=list)
    written: dict = field(default_factory=dict)
    full: str = ""
    wcs: object = WCS

    def get(self, dataset_type, data_id):
        if dataset_type == "ccdExposureId":
            return 51
        if self.stars is None:
            raise DatasetNotFoundError("no frame for visit=5 ccd=1", dataset_type="frame")
        exposure = self.stars.exposure.copy()
        exposure.wcs, exposure.psf, exposure.physical_filter = self.wcs, pixel_psf(Moffat(3.2)), "g.1"
        exposure.visit_info = VisitInfo(exposure_id=51, exposure_time=30.0)
        return exposure

    def remove(self, dataset_type, data_id):
        self.written.pop(dataset_type, None)

    def put(self, value, dataset_type, data_id):
        assert data_id == DATA_ID
        if dataset_type == self.full:
            raise OutputError("the disk is full")
        self.written[dataset_type] = value


def instrument(tmp_path, isr="test_pipeline:assemble"):
    return Instrument(
        "toy",
        folder=tmp_path,
        policy="policy.yaml",
        filters=(FilterDefinition(physical_filter="g.1", band="g"),),
        exposure_id=lambda data_id: 51,
        exposure_id_bits=20,
        isr=isr,
    )


@pytest.fixture(scope="module")
def stars():
    return star_field(30, SHAPE, fluxes=(1e4, 2e5), profile=Moffat(3.2))


@pytest.fixture
def butler(tmp_path, stars):
    return MemoryButler(instrument(tmp_path), stars, [tmp_path])


def config(**settings):
    background = {"bin_size": 100, "order": 2}
    base = {
        "characterize": {"measure_psf": False, "background": background},
        "calibrate": {"background": background, "astrometry": {"required": False}},
    }
    for name, value in settings.items():
        base[name] = {**base.get(name, {}), **value} if isinstance(value, dict) else value
    return ProcessConfig(**base)


def write_reference(root, stars, *, name="refs", dec_shift=0.0):
    """Write the stars as a shard of a reference catalog."""
    ra, dec = WCS.pixel_to_sky(x=stars.x, y=stars.y)
    catalog = Catalog(metadata={"REFCAT_FORMAT_VERSION": 1})
    catalog.add("id", np.arange(100, 100 + len(ra)))
    catalog.add("coord_ra", ra, "deg")
    catalog.add("coord_dec", dec + dec_shift, "deg")
    flux = PhotoCalib.from_zero_point(28.0).nanojansky(stars.flux * Moffat(3.2).within(12))
    catalog.add("g_flux", flux, "nJy")
    folder = root / "ref_cats" / name
    folder.mkdir(parents=True)
    # the whole frame lies about the middle of one triangle
    write_catalog(catalog, folder / f"{cover_circle(ra=150.0, dec=2.0, radius=0.0, depth=DEPTH)[0]}.fits")
    return folder


def test_every_step_leaves_its_outputs(butler):
    summary = process_detector(butler, DATA_ID, config())
    assert list(butler.written) == [*ALWAYS, "processCcd_metadata"]
    assert butler.written["calexp"].metadata["VISIT"] == 5
    assert len(butler.written["src"]) == summary.n_source >= 30
    assert butler.written["src"]["id"][0] == (51 << 44) + 1
    assert len(butler.written["calexpBackground"]) == len(butler.written["icExpBackground"]) + 1
    facts = butler.written["processCcd_metadata"]
    assert facts["status"] == "done"
    assert set(facts["seconds"]) == {"isr", "characterize", "reference", "calibrate", "write"}
    assert facts["n_source"] == summary.n_source
    assert facts["seeing"] == summary.seeing == pytest.approx(summary.fwhm * 0.36)


def test_several_threads_give_the_same_to_the_bit(butler, monkeypatch):
    monkeypatch.setattr("obs.algorithms.measure.sources.BATCH", 7)
    process_detector(butler, DATA_ID, config())
    alone = dict(butler.written)
    with use_threads(3):
        process_detector(butler, DATA_ID, config())
    together = dict(butler.written)
    for name in ("icSrc", "src"):
        assert list(alone[name].columns) == list(together[name].columns)
        for column in alone[name].columns:
            np.testing.assert_array_equal(alone[name][column], together[name][column])
    for plane in ("image", "variance"):
        both = (getattr(written["calexp"].masked_image, plane) for written in (alone, together))
        np.testing.assert_array_equal(*both)
    records = [written["processCcd_metadata"]["made_with"]["outputs"] for written in (alone, together)]
    assert records[0] == records[1]


def test_more_is_written_when_asked_for(butler):
    settings = config(
        isr={"write": True},
        characterize={**config().characterize.model_dump(), "write_exposure": True},
        calibrate={**config().calibrate.model_dump(), "parquet": True},
    )
    process_detector(butler, DATA_ID, settings)
    assert set(butler.written) == {*ALWAYS, "postISRCCD", "icExp", "sourceTable", "processCcd_metadata"}


def test_less_is_written_when_asked_for(butler):
    calibrate = {**config().calibrate.model_dump(), "write": False}
    process_detector(butler, DATA_ID, config(calibrate=calibrate))
    assert list(butler.written) == ["icSrc", "icExpBackground", "processCcd_metadata"]
    butler.written.clear()
    summary = process_detector(butler, DATA_ID, config(do_calibrate=False))
    assert list(butler.written) == ["icSrc", "icExpBackground", "processCcd_metadata"]
    assert summary.fwhm > 3
    assert np.isnan(summary.zero_point)


def test_signature_removal_alone_leaves_its_exposure(butler):
    summary = process_detector(butler, DATA_ID, config(do_characterize=False))
    assert list(butler.written) == ["postISRCCD", "processCcd_metadata"]
    assert np.isnan(summary.fwhm)


def test_a_reference_catalog_gives_matches_and_a_zero_point(butler, stars):
    write_reference(butler.roots[0], stars)
    summary = process_detector(butler, DATA_ID, config())
    assert summary.warnings == []
    assert summary.zero_point == pytest.approx(28.0, abs=0.01)
    assert summary.n_zero_point >= 20
    assert summary.astrometric_scatter < 0.05
    packed, full = butler.written["srcMatch"], butler.written["srcMatchFull"]
    assert len(packed) == len(full) == summary.n_reference >= 25
    assert packed.metadata["RA"] == pytest.approx(150.0, abs=1e-3)
    assert packed.metadata["FILTER"] == "g"
    source_ids = dict(zip(butler.written["src"]["id"], butler.written["src"]["coord_ra"], strict=True))
    for number, ra in zip(full["src_id"], full["ref_coord_ra"], strict=True):
        assert source_ids[number] == pytest.approx(ra, abs=1e-4)


def test_a_reference_catalog_of_elsewhere_is_a_warning_and_the_catalog_is_written(butler, stars):
    write_reference(butler.roots[0], stars, dec_shift=0.3)
    summary = process_detector(butler, DATA_ID, config())
    assert summary.warnings[0].startswith(
        "the reference catalog refs does not cover the frame at ra=149.9999 dec=2.0000"
    )
    assert "add its shards there, or name another with -c calibrate.reference.name=NAME" in summary.warnings[0]
    assert np.isnan(summary.zero_point)
    assert summary.n_zero_point == butler.written["calexp"].metadata["MAGZERO_NOBJ"] == 0
    assert np.isnan(butler.written["calexp"].metadata["MAGZERO"])
    assert len(butler.written["src"]) >= 30
    assert "srcMatch" not in butler.written


def test_a_missing_frame_fails_and_says_so_in_the_metadata(tmp_path):
    butler = MemoryButler(instrument(tmp_path), None)
    with pytest.raises(DatasetNotFoundError, match="no frame for visit=5 ccd=1"):
        process_detector(butler, DATA_ID, config())
    facts = butler.written["processCcd_metadata"]
    assert facts["status"] == "failed"
    assert "no frame for visit=5 ccd=1" in facts["error"]


def test_what_was_done_before_a_failure_is_kept(butler):
    with pytest.raises(MeasurementError, match="no astrometry: there is no reference catalog of this part of the sky"):
        process_detector(butler, DATA_ID, config(calibrate={"astrometry": {"required": True}}))
    assert list(butler.written) == ["icSrc", "icExpBackground", "processCcd_metadata"]
    facts = butler.written["processCcd_metadata"]
    assert facts["status"] == "failed"
    assert facts["fwhm"] > 3
    assert facts["seconds"]["characterize"] > 0
    assert facts["warnings"][0].startswith("no reference catalog: no folder ref_cats in ")


@pytest.mark.parametrize(
    ("wcs", "begin"),
    [
        (WCS, "the repository has no reference catalog: positions rest on the pointing in the header"),
        (None, "the repository has no reference catalog, and the header has no pointing: the catalog has positions in"),
    ],
)
def test_without_any_reference_catalog_a_frame_comes_out_uncalibrated(butler, wcs, begin):
    butler.wcs = wcs
    summary = process_detector(butler, DATA_ID, config(calibrate={"astrometry": {"required": None}}))
    assert len(butler.written["src"]) >= 30
    assert np.isnan(summary.zero_point)
    said = [text for text in summary.warnings if "reference catalog" in text]
    assert len(said) == 1
    assert said[0].startswith(begin)


def test_a_failed_rerun_leaves_no_result_of_the_first(butler):
    process_detector(butler, DATA_ID, config())
    assert "calexp" in butler.written
    butler.stars = None
    with pytest.raises(DatasetNotFoundError):
        process_detector(butler, DATA_ID, config())
    assert list(butler.written) == ["processCcd_metadata"]
    assert butler.written["processCcd_metadata"]["status"] == "failed"


@pytest.mark.parametrize("full", ["icSrc", "processCcd_metadata"])
def test_an_output_that_cannot_be_written_is_the_failure(butler, full):
    butler.full = full
    with pytest.raises(OutputError, match="the disk is full"):
        process_detector(butler, DATA_ID, config())


def test_a_failure_is_not_hidden_by_metadata_that_cannot_be_written(tmp_path):
    butler = MemoryButler(instrument(tmp_path), None, full="processCcd_metadata")
    with pytest.raises(DatasetNotFoundError, match="no frame for visit=5"):
        process_detector(butler, DATA_ID, config())


def test_a_camera_whose_assembly_cannot_be_imported_is_named(tmp_path, stars):
    butler = MemoryButler(instrument(tmp_path, isr="test_pipeline:nowhere"), stars)
    with pytest.raises(PluginError, match="camera 'toy': cannot import 'test_pipeline:nowhere'"):
        process_detector(butler, DATA_ID, config())


def find(roots, name=None):
    warnings = []
    found = find_reference(roots, name, 150.0, 2.0, 0.05, warnings)
    return found, warnings


def test_without_any_reference_catalog_there_is_a_warning(tmp_path):
    found, warnings = find([tmp_path, tmp_path / "parent"])
    assert found is None
    assert warnings == [f"no reference catalog: no folder ref_cats in {tmp_path}, {tmp_path / 'parent'}"]


def test_the_only_reference_catalog_is_taken_wherever_it_is(tmp_path, stars):
    write_reference(tmp_path / "parent", stars, name="gaia")
    (tmp_path / "parent" / "ref_cats" / "README.txt").write_text("a file is not a catalog")
    found, warnings = find([tmp_path, tmp_path / "parent"])
    assert len(found) > 20
    assert warnings == []


def test_of_several_reference_catalogs_one_is_to_be_named(tmp_path, stars):
    write_reference(tmp_path, stars, name="gaia")
    write_reference(tmp_path / "parent", stars, name="ps1")
    roots = [tmp_path, tmp_path / "parent"]
    expected = r"several reference catalogs: gaia, ps1; name one with -c calibrate\.reference\.name=NAME"
    with pytest.raises(DatasetNotFoundError, match=expected):
        find(roots)
    assert len(find(roots, "ps1")[0]) > 20


def test_a_reference_catalog_that_is_not_there_is_named(tmp_path, stars):
    write_reference(tmp_path, stars, name="gaia")
    with pytest.raises(DatasetNotFoundError, match="gaya"):
        find([tmp_path], "gaya")


def test_a_damaged_reference_catalog_is_named(tmp_path, stars):
    folder = write_reference(tmp_path, stars)
    shard = next(folder.glob("*.fits"))
    shard.write_bytes(b"no FITS")
    with pytest.raises(FileFormatError, match=shard.name):
        find([tmp_path])


def test_matches_are_written_as_ids_and_as_rows_side_by_side():
    sources, reference = Catalog(), Catalog()
    sources.add("id", np.array([11, 12, 13]))
    sources.add("flux", np.array([1.0, 2.0, 3.0]), "ct", "flux")
    reference.add("id", np.array([100, 200]))
    reference.add("mag", np.array([20.0, 21.0]), "mag", "magnitude")
    matches = Matches(np.array([2, 0]), np.array([0, 1]), np.array([0.1, 0.2]))
    packed, full = match_catalogs(sources, reference, matches)
    assert packed["first"].tolist() == [100, 200]
    assert packed["second"].tolist() == [13, 11]
    assert packed["distance"].tolist() == [0.1, 0.2]
    assert full.schema.names == ["ref_id", "ref_mag", "src_id", "src_flux", "distance"]
    assert full["src_flux"].tolist() == [3.0, 1.0]
    assert full["ref_mag"].tolist() == [20.0, 21.0]
    assert full.columns["ref_mag"].unit == "mag"
    assert full.columns["src_flux"].description == "flux"


def test_no_match_is_an_empty_table_and_ids_can_be_missing():
    sources, reference = Catalog(), Catalog()
    sources.add("id", np.array([11]))
    reference.add("mag", np.array([20.0, 21.0]))
    none = np.zeros(0, np.int64)
    packed, full = match_catalogs(sources, reference, Matches(none, none, np.zeros(0)))
    assert len(packed) == len(full) == 0
    one = match_catalogs(sources, reference, Matches(np.array([0]), np.array([1]), np.array([0.5])))[0]
    assert one["first"].tolist() == [1]
