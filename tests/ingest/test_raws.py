"""Raw frames into a repository, and what is said of those that cannot be taken."""

import multiprocessing
import os
import re
import sqlite3
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from sqlalchemy.exc import OperationalError
from toy_camera import HEADER, make_instrument, write_raw

from obs import load_instrument
from obs.errors import OutputError, PluginError, RepositoryError
from obs.ingest.image_size import find_other_size
from obs.ingest.raws import IngestOptions, _Ingest, ingest_raws
from obs.ingest.report import HOLDS_TRUTH
from obs.ingest.repository import make_repository
from obs.instrument.instrument import Instrument
from obs.raw_exposure import get_raw
from obs.repo.atomic import temporary_path
from obs.repo.butler import Butler
from obs.repo.origins import find_origins
from obs.repo.transaction import Transaction


def rows(root, table="raw", columns="visit, ccd, filter, dateObs, expTime"):
    connection = sqlite3.connect(root / "registry.sqlite3")
    found = connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2").fetchall()  # noqa: S608
    connection.close()
    return found


def run(root, files, instrument=None, **options):
    return ingest_raws(Butler(root, instrument=instrument), files, IngestOptions(**options))


def statuses(report):
    return [file.status for file in report.files]


@pytest.fixture
def frames(tmp_path):
    """Two visits of two detectors."""
    return [
        write_raw(tmp_path / "in" / f"f{visit}{ccd}.fits", RUN=visit, DETECTOR=ccd)
        for visit in (1, 2)
        for ccd in (0, 1)
    ]


def target(root, visit=1, ccd=0, ending=""):
    return root / "raw" / "2024-03-01" / f"raw-{visit:05d}-r-{ccd}.fits{ending}"


def test_links_by_default(repository, frames):
    report = run(repository, frames)
    assert report.ok
    assert report.count("ingested") == 4
    assert report.files[0].data_ids == ({"visit": 1, "ccd": 0},)
    place = target(repository)
    assert place.is_symlink()
    assert os.readlink(place) == str(frames[0].absolute())
    assert rows(repository)[0] == (1, 0, "r", "2024-03-01", 30.0)
    assert rows(repository, "raw_visit", "visit, filter, dateObs, taiObs") == [
        (1, "r", "2024-03-01", HEADER["DATE-OBS"]),
        (2, "r", "2024-03-01", HEADER["DATE-OBS"]),
    ]


def test_the_tables_have_the_second_generation_shape(repository):
    connection = sqlite3.connect(repository / "registry.sqlite3")
    shapes = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type='table'").fetchall())
    connection.close()
    assert re.search(r"id INTEGER NOT NULL", shapes["raw"])
    assert re.search(r"UNIQUE \(visit, ccd\)", shapes["raw"])
    assert re.search(r"UNIQUE \(visit\)", shapes["raw_visit"])
    assert "id INTEGER" not in shapes["raw_visit"]


def test_butler_finds_what_was_ingested(repository, frames):
    run(repository, frames)
    butler = Butler(repository)
    assert butler.get("raw", visit=2, ccd=1).shape == (40, 56)
    assert butler.query_metadata("raw", ["visit", "ccd"], {"filter": "r"}) == [(1, 0), (1, 1), (2, 0), (2, 1)]


@pytest.mark.parametrize(("mode", "stays"), [("copy", True), ("move", False)])
def test_copy_and_move(repository, frames, mode, stays):
    content = frames[0].read_bytes()
    assert run(repository, frames, mode=mode).ok
    assert frames[0].exists() is stays
    assert not target(repository).is_symlink()
    assert target(repository).read_bytes() == content
    origin = find_origins([repository], Butler(repository).policy)[target(repository)]
    assert (origin.source, origin.mode) == (str(frames[0]), mode)


def test_a_registry_of_an_older_version_has_no_origins(repository, frames):
    assert run(repository, frames, mode="copy").ok
    connection = sqlite3.connect(repository / "registry.sqlite3")
    connection.execute("DROP TABLE obs_origin")
    connection.commit()
    connection.close()
    assert find_origins([repository], Butler(repository).policy) == {}
    target(repository).unlink()
    assert run(repository, frames[:1], mode="copy").ok
    assert set(find_origins([repository], Butler(repository).policy)) == {target(repository)}


def test_move_on_to_itself_loses_nothing(repository, tmp_path):
    path = write_raw(target(repository))
    (tmp_path / "alias").symlink_to(repository)
    seen = tmp_path / "alias" / path.relative_to(repository)
    assert run(repository, [seen], mode="move").ok
    assert path.exists()
    assert find_origins([repository], Butler(repository).policy) == {}


def test_skip_registers_only(repository, frames):
    assert run(repository, frames, mode="skip").ok
    assert not (repository / "raw").exists()
    assert len(rows(repository)) == 4


def test_a_dry_run_changes_nothing(repository, frames):
    before = sorted(repository.rglob("*"))
    report = run(repository, frames, dry_run=True)
    assert statuses(report) == ["ingested"] * 4
    assert list(report.lines()) == ["4 files: 4 would be ingested, 0 skipped, 0 failed"]
    assert sorted(repository.rglob("*")) == before
    assert rows(repository) == []


def test_endings_of_compression_stay(repository, tmp_path):
    path = write_raw(tmp_path / "a.fits.gz")
    assert run(repository, [path]).ok
    assert target(repository, ending=".gz").is_symlink()
    assert Butler(repository).get("raw", visit=1, ccd=0).shape == (40, 56)


def test_bad_files_and_bad_ids(repository, frames):
    report = run(repository, frames, bad_files=["*21*"], bad_ids=[{"visit": 1, "ccd": 1}, {"ccd": 0, "visit": 9}])
    assert statuses(report) == ["ingested", "skipped", "ingested", "skipped"]
    lines = list(report.lines())
    assert re.search(r"skipped .*f11.fits: it is --bad-id visit=1 ccd=1$", lines[0])
    assert re.search(r"skipped .*f21.fits: its name matches --bad-file \*21\*$", lines[1])
    assert report.ok


def test_the_same_files_again(repository, frames):
    run(repository, frames[:2])
    report = run(repository, frames)
    assert statuses(report) == ["skipped", "skipped", "ingested", "ingested"]
    assert report.files[0].reason == "already ingested"
    assert report.ok
    assert len(rows(repository)) == 4


def test_a_reference_catalog_among_the_raw_frames_is_told_where_to_go(repository, frames, tmp_path):
    path = tmp_path / "in" / "reference.fits"
    fits.BinTableHDU.from_columns([fits.Column("ra", "D", array=np.zeros(3))]).writeto(path)
    report = run(repository, [*frames, path])
    assert statuses(report) == ["ingested"] * len(frames) + ["skipped"]
    assert report.ok
    assert not run(repository, [path]).ok
    assert report.files[-1].reason == "holds a table and no image; a reference catalog goes to obs ingest-refcat"


def test_the_truth_of_a_simulation_is_no_exposure(repository, frames, tmp_path):
    path = write_raw(tmp_path / "in" / "truth.fits", OBSTRUTH=True)
    report = run(repository, [*frames, path])
    assert report.ok
    assert (report.files[-1].status, report.files[-1].reason) == ("skipped", HOLDS_TRUTH)


def test_two_files_of_one_data_id(repository, frames, tmp_path):
    twin = write_raw(tmp_path / "in" / "twin.fits", EXPTIME=5.0)
    report = run(repository, [*frames, twin])
    assert statuses(report)[-1] == "failed"
    assert re.search(r"the same data ID visit=1 ccd=0 as .*f10.fits, which is ingested", report.files[-1].reason)
    again = run(repository, [twin])
    assert re.search(
        r"visit=1 ccd=0 is ingested already as .*raw-00001-r-0.fits, and that is another file", again.files[0].reason
    )
    assert run(repository, [twin], ignore_ingested=True).files[0].status == "skipped"
    assert len(rows(repository)) == 4


def test_one_file_named_twice(repository, frames):
    assert statuses(run(repository, [frames[0], frames[0]])) == ["ingested", "skipped"]


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("RUN     = 1E30", "visit=1000000000000000019884624838656: visit must be below 10^18"),
        ("RUN     = 9223372036854775808", "visit=9223372036854775808: visit must be below 10^18"),
        ("RUN     = 1E400", "visit"),
        ("RUN     = 'x'", "visit"),
        ("NAXIS   = 1E400", "NAXIS = inf is not an integer"),
        ("NAXIS1  = 300000000", "promises an image of 12000000000 pixels"),
        ("NAXIS1  = 70000", "is cut short"),
        ("FILTER  = '../../x'", "would leave the repository"),
        ("FILTER  = '" + "x" * 60 + "'", ""),
    ],
)
@pytest.mark.parametrize("mode", ["link", "copy", "move"])
def test_one_poisonous_header_stops_no_other(repository, frames, tmp_path, card, reason, mode):
    bad = write_raw(tmp_path / "bad" / "bad.fits", RUN=9)
    content = bad.read_bytes()
    at = content.index(card[:8].encode())
    bad.write_bytes(content[:at] + card.ljust(80).encode() + content[at + 80 :])
    report = run(repository, [*frames[:2], bad, *frames[2:]], mode=mode)
    assert statuses(report) == ["ingested", "ingested", "failed" if reason else "ingested", "ingested", "ingested"]
    assert reason in report.files[2].reason
    assert "\n" not in report.files[2].reason
    assert len(rows(repository)) == (4 if reason else 5)
    assert bad.exists() or (mode == "move" and not reason)


def test_bad_files_stop_nothing(repository, frames, tmp_path):
    broken = tmp_path / "in" / "broken.fits"
    broken.write_bytes(frames[0].read_bytes()[:4000])
    files = [
        broken,
        tmp_path / "none.fits",
        write_raw(tmp_path / "in" / "noid.fits", DETECTOR=None),
        write_raw(tmp_path / "in" / "text.fits", RUN="seven"),
        write_raw(tmp_path / "in" / "date.fits", DATE_OBS="01/03/24"),
        write_raw(tmp_path / "in" / "nodate.fits", DATE_OBS=None),
        *frames,
    ]
    report = run(repository, files)
    assert statuses(report) == ["failed"] * 6 + ["ingested"] * 4
    for file, message in zip(
        report.files,
        [
            "is cut short: it has 4000 bytes, its headers promise 7360",
            "does not exist",
            "the header does not give ccd; give it by --set ccd=VALUE",
            "visit: 'seven' is not a number",
            "dateObs: '01/03/24' is not a date like '2020-09-04T21:30:00'",
            "dateObs: the header does not have DATE-OBS",
        ],
        strict=False,
    ):
        assert file.reason == message
    *listed, numbers = report.lines()
    assert len(listed) == 6
    assert numbers == "10 files: 4 ingested, 0 skipped, 6 failed"


def test_what_is_not_known_is_told_once(repository, tmp_path):
    files = [write_raw(tmp_path / f"{visit}.fits", RUN=visit, EXPTIME=None) for visit in (1, 2, 3)]
    report = run(repository, files)
    assert report.ok
    assert re.fullmatch(r"WARNING .*1.fits and 2 more files: the header does not give expTime", next(report.lines()))
    assert rows(repository)[0][-1] is None


def test_nan_is_not_a_value(repository, tmp_path):
    path = tmp_path / "nan.fits"
    cards = {k: v for k, v in HEADER.items() if k != "EXPTIME"} | {"EXPTIME": None}
    fits.PrimaryHDU(np.zeros((40, 56), np.int16), fits.Header(cards)).writeto(path)
    assert run(repository, [path]).files[0].warnings == ("the header does not give expTime",)
    assert rows(repository)[0][-1] is None


def test_a_file_in_the_way(repository, frames):
    target(repository).parent.mkdir(parents=True)
    target(repository).write_text("something else")
    report = run(repository, frames, mode="copy")
    assert statuses(report) == ["failed", "ingested", "ingested", "ingested"]
    assert re.search(r"raw-00001-r-0.fits already exists; --clobber replaces it", report.files[0].reason)
    assert statuses(run(repository, frames, mode="copy", clobber=True))[0] == "ingested"
    assert target(repository).read_bytes() == frames[0].read_bytes()


def test_a_run_that_was_killed_can_be_repeated(repository, frames):
    run(repository, frames)
    connection = sqlite3.connect(repository / "registry.sqlite3")
    connection.execute("DELETE FROM raw")
    connection.commit()
    connection.close()
    assert statuses(run(repository, frames)) == ["ingested"] * 4


def test_a_batch_that_cannot_be_registered_leaves_nothing(repository, frames, monkeypatch):
    def refuse(self, table, rows):
        raise OutputError("the disk is full") from OperationalError("", {}, Exception())

    monkeypatch.setattr("obs.repo.registry.Transaction.insert", refuse)
    for mode in ("link", "copy", "move"):
        with pytest.raises(OutputError, match="the disk is full"):
            run(repository, frames, mode=mode)
        assert all(path.exists() for path in frames)
        assert not any(path.is_file() for path in (repository / "raw").rglob("*"))


def test_a_commit_that_fails_leaves_nothing(repository, frames, monkeypatch):
    def refuse(self):
        raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    monkeypatch.setattr("sqlalchemy.Connection.commit", refuse)
    with pytest.raises(OutputError, match=r"cannot write the registry .*: disk I/O error"):
        run(repository, frames, mode="move")
    assert all(path.exists() for path in frames)


def test_another_process_was_faster(repository, frames, tmp_path, monkeypatch):
    """Its file stays, and is not taken for ours, whether it is the same or another."""
    other = write_raw(tmp_path / "other" / "f.fits", RUN=1, DETECTOR=1, EXPTIME=99.0)
    place, calls = _Ingest._register, []

    def late(self, plans):
        if not calls:
            calls.append(1)
            assert run(repository, [frames[0], other], mode="move").ok
        place(self, plans)

    monkeypatch.setattr(_Ingest, "_register", late)
    report = run(repository, frames, mode="move")
    assert statuses(report) == ["skipped", "failed", "ingested", "ingested"]
    assert "visit=1 ccd=1 is ingested already as" in report.files[1].reason
    assert [path.exists() for path in (*frames, other)] == [False, True, False, False, False]
    assert len(rows(repository)) == 4
    assert target(repository, 1, 1).read_bytes() != frames[1].read_bytes()


@pytest.mark.parametrize("mode", ["link", "copy", "move"])
def test_a_row_that_the_database_refuses_stops_no_other(repository, frames, monkeypatch, mode):
    insert = Transaction.insert

    def picky(self, table, found):
        if any(row["visit"] == 2 and row.get("ccd") == 1 for row in found):
            raise OutputError("not this one")
        insert(self, table, found)

    monkeypatch.setattr(Transaction, "insert", picky)
    report = run(repository, frames, mode=mode)
    assert statuses(report) == ["ingested", "ingested", "ingested", "failed"]
    assert report.files[3].reason == "not this one"
    assert frames[3].exists()
    assert not target(repository, 2, 1).exists()
    assert len(rows(repository)) == 3


def test_a_killed_move_is_finished_by_the_next(repository, frames, monkeypatch):
    with monkeypatch.context() as killed:
        killed.setattr("obs.ingest.raws.finish_move", lambda source, targets: None)
        run(repository, frames, mode="move")
    assert all(path.exists() for path in frames)
    assert statuses(run(repository, frames, mode="move")) == ["skipped"] * 4
    assert not any(path.exists() for path in frames)
    assert target(repository, 2, 1).is_file()


def test_a_move_keeps_what_differs(repository, frames, tmp_path):
    run(repository, frames, mode="copy")
    other = write_raw(tmp_path / "other" / "f.fits", RUN=1, DETECTOR=0, EXPTIME=99.0)
    report = run(repository, [other], mode="move", ignore_ingested=True)
    assert statuses(report) == ["skipped"]
    assert "stays where it is" in report.files[0].warnings[0]
    assert other.exists()


def test_a_file_that_is_gone_is_put_back(repository, frames):
    run(repository, frames)
    moved = [path.rename(path.with_name("new" + path.name)) for path in frames]
    assert not target(repository).exists()
    report = run(repository, moved)
    assert statuses(report) == ["ingested"] * 4
    assert "its file was missing" in report.files[0].warnings[0]
    assert os.readlink(target(repository)) == str(moved[0])
    assert len(rows(repository)) == 4


def test_temporary_files_of_killed_runs_are_removed(repository, frames):
    folder = target(repository).parent
    folder.mkdir(parents=True)
    ended = subprocess.Popen(["true"])
    ended.wait()
    left = temporary_path(target(repository)).name
    mine = folder / left
    forsaken = folder / left.replace(f"-{os.getpid()}-", f"-{ended.pid}-")
    foreign = folder / re.sub(r"[0-9a-f]{8}-\d+-", "00000000-1-", left)
    for path in (mine, forsaken, foreign):
        path.touch()
    run(repository, frames, mode="copy")
    assert [path.exists() for path in (mine, forsaken, foreign)] == [True, False, True]


def test_create_begins_anew(repository, frames):
    run(repository, frames)
    run(repository, frames[:1], create=True)
    assert len(rows(repository)) == 1


def test_several_processes_give_the_same(repository, tmp_path):
    files = [
        write_raw(tmp_path / f"{visit}.fits", RUN=visit, DETECTOR=None if visit == 70 else 0) for visit in range(120)
    ]
    report = run(repository, files, processes=2, batch_size=50)
    assert [file.path for file in report.files] == files
    assert report.count("ingested") == 119
    assert report.files[70].status == "failed"


def test_an_interrupted_ingest_ends_its_workers_before_it_says_so(repository, tmp_path, monkeypatch):
    monkeypatch.setattr("obs.ingest.raws.get_context", lambda kind: multiprocessing.get_context("fork"))  # quick
    files = [tmp_path / f"{number}.fits" for number in range(60)]

    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("obs.ingest.raw_plans.RawPlanner.plan", interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        run(repository, files, processes=2, batch_size=10)
    assert multiprocessing.active_children() == []
    del caught  # whose traceback would have kept them


def mef(path, names, **changes):
    cards = HEADER | changes
    detectors = {"left": 0, "right": 1}
    hdus = [fits.PrimaryHDU(header=fits.Header({k: v for k, v in cards.items() if k != "DETECTOR"}))]
    hdus += [
        fits.ImageHDU(np.full((40, 56), i, np.int16), fits.Header({"DETECTOR": detectors.get(name, 7)}), name=name)
        for i, name in enumerate(names)
    ]
    fits.HDUList(hdus).writeto(path)
    return path


@pytest.fixture
def extensions(tmp_path):
    toy = make_instrument(tmp_path, translator="toy_translator:ExtensionTranslator")
    policy = toy.policy_path.read_text().replace('-%(filter)s-%(ccd)d.fits", tables', '.fits[%(hdu)d]", tables', 1)
    toy.policy_path.write_text(policy)
    make_repository(tmp_path / "mef", toy)
    return tmp_path / "mef", toy


def test_one_row_for_each_extension(extensions, tmp_path):
    root, toy = extensions
    report = run(root, [mef(tmp_path / "m.fits", ["guide", "right", "left"])], toy)
    assert report.ok, list(report.lines())
    assert rows(root, columns="visit, ccd, hdu") == [(1, 0, 3), (1, 1, 2)]
    assert (root / "raw/2024-03-01/raw-00001.fits").is_symlink()
    assert Butler(root, instrument=toy).get("raw", visit=1, ccd=1).masked_image.image[0, 0] == 1
    assert run(root, [tmp_path / "m.fits"], toy).files[0].reason == "already ingested"


def test_a_file_of_several_detectors_where_each_has_its_place(repository, tmp_path):
    """The camera does not name its extensions, and has a place for each detector: found by their headers."""
    path = mef(tmp_path / "m.fits", ["right", "left"])
    report = run(repository, [path])
    assert report.ok, list(report.lines())
    assert rows(repository, columns="visit, ccd") == [(1, 0), (1, 1)]
    assert report.files[0].targets == (target(repository, ccd=1), target(repository, ccd=0))
    butler = Butler(repository)
    for ccd, value in ((1, 0), (0, 1)):
        raw = get_raw(butler, {"visit": 1, "ccd": ccd}, butler.instrument.find_detector({"ccd": ccd}))
        assert raw.images[0][0, 0] == value
    assert run(repository, [path]).files[0].reason == "already ingested"


def test_what_else_is_in_a_file_of_one_detector(repository, tmp_path):
    """Two amplifiers in HDUs of their own are one frame, and what has no data ID is none."""
    header = fits.Header({k: v for k, v in HEADER.items() if k != "DETECTOR"})
    hdus = [fits.PrimaryHDU(header=header)]
    hdus += [fits.ImageHDU(np.zeros((40, 56), np.int16), fits.Header({"DETECTOR": 1})) for _ in range(2)]
    hdus += [fits.ImageHDU(np.zeros((4, 5), np.int16)), fits.BinTableHDU.from_columns([])]
    fits.HDUList(hdus).writeto(tmp_path / "a.fits")
    assert run(repository, [tmp_path / "a.fits"]).ok
    assert rows(repository, columns="visit, ccd") == [(1, 1)]


@pytest.mark.parametrize("mode", ["copy", "move"])
def test_several_places_by_copy_and_move(repository, tmp_path, mode):
    path = mef(tmp_path / "m.fits", ["left", "right"])
    assert run(repository, [path], mode=mode).ok
    assert path.exists() is (mode == "copy")
    places = target(repository, ccd=0), target(repository, ccd=1)
    assert all(place.is_file() and not place.is_symlink() for place in places)
    assert os.path.samefile(*places)  # stored once
    assert not os.path.samefile(path, places[0]) if mode == "copy" else places[0].stat().st_nlink == 2


def test_extensions_that_are_missing(extensions, tmp_path):
    root, toy = extensions
    files = [mef(tmp_path / "a.fits", ["left"]), mef(tmp_path / "b.fits", ["guide"])]
    reasons = [file.reason for file in run(root, files, toy).files]
    assert reasons == ["does not have the extensions right", "has none of the extensions left, right"]


def test_cameras_that_cannot_be_ingested(repository, tmp_path, instrument):
    def with_translator(name):
        settings = {key: value for key, value in vars(instrument).items() if not key.startswith("_")}
        return Instrument(**{**settings, "translator": name})

    with pytest.raises(PluginError, match="camera 'toy' has no translator"):
        run(repository, [], with_translator(None))
    with pytest.raises(PluginError, match="NoTranslator cannot be used: it is not an obs"):
        run(repository, [], with_translator("toy_translator:NoTranslator"))
    with pytest.raises(PluginError, match="cannot be used for ingest: it sets no columns and no unique"):
        run(repository, [], with_translator("toy_translator:EmptyTranslator"))
    policy = instrument.policy_path
    policy.write_text(policy.read_text().replace("%(visit)05d-", "%(night)s-%(visit)05d-", 1))
    with pytest.raises(PluginError, match="the translator of camera 'toy' gives no night, which the raw template"):
        run(repository, [], with_translator(instrument.translator))


def test_repositories_of_others_are_not_written_to(tmp_path, instrument):
    (tmp_path / "lsst").mkdir()
    (tmp_path / "lsst" / "_mapper").write_text("lsst.obs.toy.ToyMapper\n")
    (tmp_path / "lsst" / "registry.sqlite3").touch()
    with pytest.raises(RepositoryError, match="a repository of another program, which is only read"):
        run(tmp_path / "lsst", [], instrument)
    (tmp_path / "lsst" / "registry.sqlite3").unlink()
    assert run(tmp_path / "lsst", [], instrument, dry_run=True).ok
    assert [path.name for path in (tmp_path / "lsst").iterdir()] == ["_mapper"]


def test_a_registry_of_another_version(repository, frames):
    connection = sqlite3.connect(repository / "registry.sqlite3")
    connection.execute("ALTER TABLE raw DROP COLUMN dataType")
    connection.commit()
    connection.close()
    with pytest.raises(RepositoryError, match=r"has no column dataType: .*--create makes it anew"):
        run(repository, frames)
    assert run(repository, frames, create=True).ok


def test_the_command(repository, frames, obs, tmp_path):
    (tmp_path / "in" / "bad.fits").write_text("nothing")
    status, out, err = obs(
        "ingest", repository, f"{tmp_path}/in/*.fits", f"{tmp_path}/out/*.fits", "--bad-id", "ccd=1", "visit=2"
    )
    assert status == 1
    assert out == "5 files: 3 ingested, 1 skipped, 1 failed\n"
    assert re.search(r"WARNING no file matches .*/out/\*\.fits", err)
    assert re.search(r"FAILED .*bad.fits: is not a FITS file", err)
    assert re.search(r"skipped .*f21.fits: it is --bad-id ccd=1 visit=2", err)
    status, out, err = obs("ingest", repository, *frames[:3], "--ignore-ingested")
    assert (status, out, err) == (0, "3 files: 0 ingested, 3 skipped, 0 failed\n", "")
    status, out, err = obs("ingest", repository, frames[0])
    assert (status, err) == (0, f"skipped {frames[0]}: already ingested\n")
    status, out, err = obs("ingest", repository, frames[3], "-n")
    assert status == 0
    assert re.search(r"would link .*f21.fits as .*raw-00002-r-1.fits: visit=2 ccd=1", out)


def test_mistakes_on_the_command_line(repository, obs, tmp_path):
    status, _, err = obs("ingest", repository, tmp_path / "*.none")
    assert status == 1
    assert "obs: error: no file matches" in err
    status, _, err = obs("ingest", repository, "x.fits", "--bad-id", "cdd=3")
    assert status == 1
    assert "unknown key 'cdd' in --id; did you mean 'ccd'?" in err
    status, _, err = obs("ingest", tmp_path, "x.fits")
    assert status == 1
    assert f"{tmp_path} is not a data repository" in err


def test_a_registry_in_a_database(tmp_path, instrument, obs, frames):
    url = f"sqlite:///{tmp_path}/elsewhere.db"
    assert obs("init", tmp_path / "new", "--camera", "toy", "--registry", url)[0] == 0
    assert run(tmp_path / "new", frames, dry_run=True).ok
    assert run(tmp_path / "new", frames).ok
    assert not (tmp_path / "new" / "registry.sqlite3").exists()
    assert Butler(tmp_path / "new").query_metadata("raw", "visit", {"ccd": 1}) == [1, 2]


def test_a_database_that_does_not_answer_leaves_no_repository(tmp_path, instrument, obs):
    url = f"sqlite:///{tmp_path}/nowhere/elsewhere.db"
    status, _, err = obs("init", tmp_path / "new", "--camera", "toy", "--registry", url)
    assert status == 1
    assert re.search("obs: error: cannot read the registry .*unable to open database file", err)
    assert not (tmp_path / "new").exists()


def test_init(tmp_path, instrument, obs):
    status, out, _ = obs("init", tmp_path / "new", "--camera", "toy")
    assert status == 0
    assert out.startswith(f"{tmp_path}/new is now a data repository of the camera toy")
    assert rows(tmp_path / "new") == []
    status, out, _ = obs("init", tmp_path / "new", "--camera", "toy")
    assert (status, out) == (0, f"{tmp_path}/new is a data repository of the camera toy already\n")
    (tmp_path / "new" / "obs.yaml").write_text("camera: other\n")
    status, _, err = obs("init", tmp_path / "new", "--camera", "toy")
    assert status == 1
    assert "is a repository of the camera 'other', not 'toy'; name another" in err
    (tmp_path / "file").touch()
    status, _, err = obs("init", tmp_path / "file", "--camera", "toy")
    assert status == 1
    assert "is a file; name a folder" in err


def test_raw_files_that_were_moved_are_linked_again(repository, frames, obs, tmp_path):
    run(repository, frames)
    assert obs("verify", repository) == (0, f"{repository}: all registered raw files are there\n", "")
    place = tmp_path / "disk2" / "night 1"
    place.mkdir(parents=True)
    for path in frames[:3]:
        path.rename(place / path.name)
    status, _, err = obs("verify", repository)
    assert status == 1
    assert f" ccd=0: {target(repository)}, a link to {frames[0]}\n" in err
    assert "3 missing" in err
    assert "find moved raw files with --relink DIR" in err
    write_raw(place / frames[2].name, RUN=7)  # another frame of the same name
    status, out, err = obs("verify", repository, "--relink", tmp_path / "disk2")
    assert (status, out) == (1, "2 of 3 missing raw files linked\n")
    assert "f20.fits: no registered frame without a file is visit=7 ccd=0" in err
    assert os.readlink(target(repository)) == str(place / frames[0].name)
    write_raw(place / frames[2].name, RUN=2)
    assert obs("verify", repository, "--relink", place)[:2] == (
        0,
        f"1 of 1 missing raw files linked\n{repository}: all registered raw files are there\n",
    )
    assert len(rows(repository)) == 4
    target(repository).unlink()
    assert "there is no folder" in obs("verify", repository, "--relink", tmp_path / "none")[2]


def test_leftovers_are_reported_and_removed(repository, obs):
    ended = subprocess.Popen(["true"])
    ended.wait()
    folder = repository / "raw" / "2024-03-01"
    folder.mkdir(parents=True)
    name = temporary_path(target(repository)).name.replace(f"-{os.getpid()}-", f"-{ended.pid}-")
    (folder / name).touch()
    (repository / name).mkdir()
    temporary_path(target(repository)).touch()  # of this process, which lives
    status, _, err = obs("verify", repository)
    assert status == 1
    assert err.count("LEFTOVER") == 2
    assert obs("verify", repository, "--remove-leftovers")[:2] == (
        0,
        f"2 leftovers removed\n{repository}: all registered raw files are there\n",
    )
    assert len(list(folder.iterdir())) == 1


def named(instrument, **values):
    """Return a camera whose files are known by cards."""
    translator = type(instrument.make_translator())
    known = type("Named", (translator,), {"known_by": values, "__module__": translator.__module__})
    return replace(instrument, translator=known())


def test_files_of_another_camera_are_left_out_in_a_line(repository, tmp_path):
    files = [
        write_raw(tmp_path / "mine.fits", RUN=1, INSTRUME="Toy Cam "),
        write_raw(tmp_path / "unnamed.fits", RUN=2),
        write_raw(tmp_path / "guide1.fits", RUN=3, INSTRUME="Guider"),
        write_raw(tmp_path / "guide2.fits", RUN=None, INSTRUME="Guider"),
    ]
    files += [write_raw(tmp_path / "hsc.fits", RUN=None, INSTRUME="Hyper Suprime-Cam")]
    report = run(repository, files, named(make_instrument(repository), INSTRUME=("toy cam",)))
    assert statuses(report) == ["ingested", "ingested", "skipped", "skipped", "skipped"]
    assert report.files[4].reason == (
        "of another camera: INSTRUME = Hyper Suprime-Cam, which is installed as hsc: obs init DIR --camera hsc, then "
        "obs ingest DIR"
    )
    unread = run(repository, files[4:])
    assert unread.files[0].reason.startswith("of another camera, which is installed as hsc")
    assert f"skipped {files[2]} and 1 more files: of another camera: INSTRUME = Guider" in list(report.lines())


def test_an_image_of_another_size_is_warned_of(tmp_path):
    root = tmp_path / "data"
    make_repository(root, load_instrument("necam"))
    cards = {"INSTRUME": "NECAM", "RUN": 33, "DATE-OBS": "20200904", "TIME-OBS": "00:16:00.000", "IMGTYPE": "science"}
    header = fits.Header(cards | {"FILTER": "Clear", "EXPTIME": 60.0, "DETECTOR": 1})
    fits.PrimaryHDU(np.zeros((20, 30), np.uint16), header).writeto(tmp_path / "small.fits")
    report = ingest_raws(Butler(root), [tmp_path / "small.fits"], IngestOptions())
    assert statuses(report) == ["ingested"]
    warning = "of another camera or read-out mode: its image has 30 x 20 pixels, those of 'necam' have 6144 x 4096"
    assert any(warning in line for line in report.lines())


def test_calibrated_images_have_not_the_size_of_raw_frames(tmp_path):
    fits.PrimaryHDU(np.zeros((20, 30), np.uint16)).writeto(tmp_path / "corrected.fits")
    assert find_other_size(tmp_path / "corrected.fits", load_instrument("sdss")) == ""
    assert "30 x 20 pixels" in find_other_size(tmp_path / "corrected.fits", load_instrument("necam"))


def test_a_key_that_only_the_user_knows(repository, tmp_path):
    path = write_raw(tmp_path / "a.fits", RUN=None)
    report = run(repository, [path])
    assert report.files[0].reason == "the header does not give visit; give it by --set visit=VALUE"
    assert run(repository, [path], given={"visit": 7, "ccd": 9}).files[0].data_ids == ({"visit": 7, "ccd": 0},)


def test_a_cube_is_refused_with_what_to_do(repository, tmp_path):
    path = tmp_path / "cube.fits"
    fits.PrimaryHDU(np.zeros((3, 40, 56), np.int16), fits.Header(HEADER)).writeto(path)
    reason = run(repository, [path]).files[0].reason
    assert reason.startswith("HDU 0 is a cube of 3 planes; an exposure is one image: set planes =")


def test_an_edited_header_is_said_once(repository, tmp_path):
    """A bit that has flipped in a header changes a value, which no other check can see."""
    for number in range(2):
        path = tmp_path / f"{number}.fits"
        fits.PrimaryHDU(np.zeros((40, 56), np.int16), fits.Header(HEADER | {"RUN": number})).writeto(
            path, checksum=True
        )
        path.write_bytes(
            path.read_bytes().replace(b"EXPTIME =                 30.0", b"EXPTIME =                 10.0")
        )
    report = ingest_raws(Butler(repository), sorted(tmp_path.glob("*.fits")))
    assert report.count("ingested") == 2
    (warning, _) = report.lines()
    assert "0.fits and 1 more files: the header does not agree with CHECKSUM" in warning
