"""`obs new` at the command line."""

import json
import re
import resource
import signal

import pytest
import yaml
from made_package import imported, rows_of

from obs.checks.package import check_package
from obs.cli.main import main
from obs.errors import OutputError
from obs.repo.atomic import temporary_path
from obs.scaffold import create
from raw_frames import COMMON, flat_frame, write_frame


@pytest.fixture
def raw(tmp_path):
    pixels = flat_frame((40, 72), dark=[slice(64, 72)])
    cards = [*COMMON, ("DATASEC", "[1:64,1:40]"), ("BIASSEC", "[65:72,1:40]"), ("GAIN", 1.5, "e-/ADU")]
    return write_frame(tmp_path / "raw.fits", cards, pixels)


def new(tmp_path, *words):
    return main(["new", *map(str, words), "--no-input", "--output", str(tmp_path / "made")])


def test_from_a_raw_file(raw, tmp_path, capsys):
    assert new(tmp_path, "toycam", "--from", raw) == 0
    printed = capsys.readouterr()
    rows = {line.split("  ")[0]: line for line in printed.out.splitlines()}
    assert rows["exposure_time"].split() == ["exposure_time", "30", "EXPTIME", "certain"]
    assert rows["gain of amplifier 1"].split()[3:7] == ["1", "1.5", "GAIN", "certain"]
    assert "not known" in rows["read_noise of amplifier 1"]
    package = tmp_path / "made" / "obs_toycam"
    steps = f"obs check toycam\n  obs demo toycam\n  obs doctor toycam {raw}\n"
    assert printed.out.endswith(f"{package} is made; next:\n  pip install -e {package}\n  {steps}")
    assert check_package(str(package)) == []
    assert "| exposure_time | 30 | EXPTIME | certain |" in (package / "README.md").read_text()
    stored = json.loads((package / ".obs-template.json").read_text())["answers"]
    assert (stored["camera"], stored["_facts"]["detectors"][0]["width"]) == ("toycam", 64)


def test_a_stored_answers_file_makes_the_same_package(raw, tmp_path):
    assert new(tmp_path, "toycam", "--from", raw) == 0
    first = tmp_path / "made" / "obs_toycam"
    assert (
        main(["new", "toycam", "--answers", str(first / ".obs-template.json"), "--output", str(tmp_path / "again")])
        == 0
    )
    second = tmp_path / "again" / "obs_toycam"
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    assert all((first / path).read_bytes() == (second / path).read_bytes() for path in files)


def test_options_answer_questions(tmp_path):
    words = [
        "--detectors",
        "3",
        "--amplifiers",
        "2",
        "--visit-key",
        "run",
        "--detector-key",
        "chip",
        "--filters",
        "u,V",
    ]
    assert new(tmp_path, "toycam", *words) == 0
    package = tmp_path / "made" / "obs_toycam" / "obs_toycam"
    assert len((package / "camera" / "amplifiers.csv").read_text().splitlines()) == 3 + 6
    assert "%(run)07d-%(chip)03d" in (package / "policy" / "toycam.yaml").read_text()
    assert 'physical_filter="V"' in (package / "__init__.py").read_text()


@pytest.mark.parametrize(
    ("words", "names"), [("g r", ["g", "r"]), ("H alpha, O/III", ["H alpha", "O/III"]), ("H alpha,", ["H alpha"])]
)
def test_filters_may_have_blanks(tmp_path, words, names):
    assert new(tmp_path, "toycam", "--filters", words) == 0
    with imported(tmp_path / "made" / "obs_toycam") as instrument:
        assert [known.physical_filter for known in instrument.filters] == names


@pytest.mark.parametrize("scale", [0.02, 0.5, 20.0])
def test_simulated_stars_suit_the_pixels(tmp_path, scale):
    assert new(tmp_path, "toycam", "--pixel-scale", scale, "--width", "512", "--height", "512") == 0
    package = tmp_path / "made" / "obs_toycam"
    assert check_package(str(package)) == []
    settings = yaml.safe_load((package / "obs_toycam" / "config" / "simulate.yaml").read_text())
    assert 2.0 <= settings["optics"]["seeing"] / scale <= 3.51
    assert 500 <= settings["sources"]["density"] * (512 * scale / 3600) ** 2 <= 1600
    process = yaml.safe_load((package / "obs_toycam" / "config" / "process.yaml").read_text())
    assert (process or {}).get("calibrate") == (
        {"astrometry": {"match_radius": 80, "maximum_scatter": 20}} if scale > 1 else None
    )


def test_text_of_headers_is_never_a_template(tmp_path):
    cards = dict(card[:2] for card in COMMON) | {"OBJECT": "{{ cookiecutter }}", "FILTER": '{% x "y'}
    raw = write_frame(tmp_path / "raw.fits", cards.items(), flat_frame((40, 64)))
    assert new(tmp_path, "toycam", "--from", raw) == 0
    package = tmp_path / "made" / "obs_toycam"
    assert check_package(str(package)) == []
    assert json.loads((package / "tests" / "headers.json").read_text())[0]["cards"]["OBJECT"] == "{{ cookiecutter }}"


@pytest.mark.parametrize(
    ("cards", "wanted"),
    [
        ([("EXPNUM", None), ("OBSID", "abc0042")], "translate_visit"),
        ([("EXPNUM", None), ("OBSNUM", 5)], "10_000"),
        ([("EXPNUM", None), ("OBSNUM", "d0005")], r"(\d+)$"),
        ([("EXPNUM", None), ("DATE-OBS", "2024-03-01"), ("FILENAME", "n20240301c0021.fits")], "(?<!"),
        ([("EXPNUM", None)], "milliseconds"),
        ([("DATE-OBS", "01/03/98"), ("UT", "05:06:07")], 'DateRule("DATE-OBS", time="UT", layout="%d/%m/%y")'),
        ([("DATE-OBS", None), ("MJD-OBS", 60370.5)], 'DateRule("MJD-OBS", layout="mjd")'),
        ([("DATE-OBS", None), ("JD", 2460371.0)], 'DateRule("JD", layout="jd")'),
        ([("FILTER", None), ("FILTER1", "air"), ("FILTER2", "w")], 'filter_cards = (("FILTER1", "FILTER2"),)'),
        ([("FILTER", None)], 'return "none" if name == "unknown"'),
        ([("EXPTIME", None), ("EXPOSURE", 1500, "ms")], '{"unit": "ms"}'),
    ],
)
def test_each_way_to_read_a_header_gives_a_sound_translator(tmp_path, cards, wanted):
    changed = {card[0] for card in cards}
    all_cards = [*(card for card in COMMON if card[0] not in changed), *(card for card in cards if card[1] is not None)]
    raw = write_frame(tmp_path / "raw.fits", all_cards, flat_frame((40, 64)))
    assert new(tmp_path, "toycam", "--from", raw) == 0
    package = tmp_path / "made" / "obs_toycam"
    assert wanted in (package / "obs_toycam" / "translator.py").read_text()
    assert check_package(str(package)) == []
    with imported(package) as instrument:
        (row,) = rows_of(instrument, raw)
    stored = json.loads((package / "tests" / "headers.json").read_text())[0]["expected"]
    assert {name: row[name] for name in stored} == stored
    assert row["visit"] > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["My-Cam"], "'My-Cam' cannot be the name of a camera"),
        (["class"], "'class' cannot be the name of a camera: it is a word of Python"),
        (["toycam", "--visit-key", "for"], "visit_key = 'for' cannot be a key of data IDs: it is a word of Python"),
        (["sdss"], "the name 'sdss' is taken by the camera of"),
        (["toycam", "--width", "wide"], "width = 'wide' is not an integer from 1"),
        (["toycam", "--from", "nothing.fits"], "nothing.fits: does not exist"),
        (["toycam", "--answers", "nothing.yaml"], "nothing.yaml: the answers cannot be read: No such file"),
    ],
)
def test_mistakes_are_one_line(tmp_path, capsys, words, message):
    assert new(tmp_path, *words) == 1
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1


def test_a_file_that_is_no_fits_is_named(tmp_path, capsys):
    path = tmp_path / "notes.txt"
    path.write_text("clouds")
    assert new(tmp_path, "toycam", "--from", path) == 1
    assert "notes.txt: is neither a FITS file nor the text of a header" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path, capsys, monkeypatch):
    def render(*_, **__):
        raise OutputError("the package cannot be written: [Errno 28] ...") from OSError(28, "No space left on device")

    monkeypatch.setattr(create, "render_template", render)
    assert new(tmp_path, "toycam") == 1
    assert capsys.readouterr().err.endswith("obs_toycam cannot be written: No space left on device\n")
    assert list((tmp_path / "made").iterdir()) == []


def test_the_last_step_of_the_template_tells_why_it_failed(tmp_path, capfd):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:  # all files of the package are smaller, but the answers with all of them
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limit[1]))
        status = new(tmp_path, "toycam")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert status == 1
    error = capfd.readouterr().err
    assert error.endswith("obs_toycam cannot be written: File too large\n")
    assert "Traceback" not in error
    assert list((tmp_path / "made").iterdir()) == []


def test_many_files_are_not_all_named(tmp_path, capsys):
    frames = [write_frame(tmp_path / f"a {n}.fits", COMMON, flat_frame((40, 64))) for n in range(9)]
    assert new(tmp_path, "toycam", "--from", *frames) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "obs doctor" in line]
    assert f"'{frames[7]}'  # and 1 more" in line


def test_bands_of_places_in_a_filter_wheel(tmp_path, capsys):
    cards = [card for card in COMMON if card[0] != "FILTER"]
    frames = [
        write_frame(tmp_path / f"a{n}.fits", [*cards, ("FILTPOS", n, "filter position")], flat_frame((40, 64)))
        for n in (2, 3)
    ]
    words = ("toycam", "--from", *frames, "--gain", 1.5, "--filters")
    assert new(tmp_path, *words, "4=V") == new(tmp_path, *words, "2=") == 1
    error = capsys.readouterr().err
    assert "filters: no file has '4'; they have 2, 3" in error
    assert "filters: '2=' is not NAME=BAND" in error
    assert new(tmp_path, *words, "3=R") == 0
    assert (
        "WARNING not used with --from, where the files answer: --gain; what they do not tell" in capsys.readouterr().err
    )
    with imported(tmp_path / "made" / "obs_toycam") as instrument:
        assert [(known.physical_filter, known.band) for known in instrument.filters] == [("2", "2"), ("3", "R")]
        assert [row["filter"] for frame in frames for row in rows_of(instrument, frame)] == ["2", "3"]


def test_an_object_that_is_no_calibration_is_a_science_frame(tmp_path):
    """Where OBJECT alone tells biases and flats."""
    cards = [card for card in COMMON if card[0] not in ("IMAGETYP", "OBSTYPE", "OBJECT")]
    frames = [
        write_frame(tmp_path / f"{name[:3]}.fits", [*cards, ("OBJECT", name)], flat_frame((40, 64)))
        for name in ("Bias", "Dome Flat", "HZ44")
    ]
    assert new(tmp_path, "toycam", "--from", *frames) == 0
    with imported(tmp_path / "made" / "obs_toycam") as instrument:
        types = [row["dataType"] for frame in frames for row in rows_of(instrument, frame)]
    assert types == ["bias", "flat", "science"]


def test_the_guide_of_a_package_builds_what_the_night_has(tmp_path):
    for name, kind, seconds in (("d1", "dark", 2.0), ("d2", "dark", 60.0), ("f", "flat", 2.0), ("s", "object", 60.0)):
        cards = [("IMAGETYP", kind), ("EXPTIME", seconds), ("DATE-OBS", f"2026-02-01T20:0{seconds / 10:.0f}:00")]
        write_frame(tmp_path / f"{name}.fits", cards, flat_frame((40, 64)))
    words = ["new", "nobias", "--no-input", "--output", str(tmp_path), "--from", *map(str, tmp_path.glob("*.fits"))]
    assert main(words) == 0
    text = (tmp_path / "obs_nobias" / "README.md").read_text()
    assert "calibs build bias DATA --id dataType=dark expTime=2 --validity 30" in text
    assert "dataType=bias" not in text


def test_a_night_has_one_day_where_the_site_is_known(tmp_path):
    """Numbers that start again each night name an exposure together with the day from noon to noon."""
    cards = [card for card in COMMON if card[0] not in ("EXPNUM", "DATE-OBS")]
    cards += [("LONGITUD", 15.0), ("LATITUDE", 50.0)]
    # the sidereal times tell that longitudes count east as positive
    shots = [
        (5, "2024-03-01T20:00:00", "07:39:39"),
        (6, "2024-03-02T03:00:00", "14:40:48"),
        (5, "2024-03-02T20:00:00", "07:43:36"),
    ]
    frames = [
        write_frame(
            tmp_path / f"{date[:13]}.fits",
            [*cards, ("OBSNUM", number), ("DATE-OBS", date), ("LST", sidereal)],
            flat_frame((40, 64)),
        )
        for number, date, sidereal in shots
    ]
    assert new(tmp_path, "toycam", "--from", *frames[:2]) == 0
    with imported(tmp_path / "made" / "obs_toycam") as instrument:
        visits = [row["visit"] for frame in frames for row in rows_of(instrument, frame)]
    assert visits == [161310005, 161310006, 161320005]


def test_a_folder_that_exists_is_refused_before_anything_is_read(tmp_path, capsys):
    package = tmp_path / "made" / "obs_toycam"
    left = temporary_path(package).with_name(re.sub(r"-\d+-", "-99999999-", temporary_path(package).name))
    left.mkdir(parents=True)
    assert new(tmp_path, "toycam") == 0
    assert list(package.parent.iterdir()) == [package]  # nor what a killed run had left
    assert new(tmp_path, "toycam", "--from", "nothing.fits") == 1
    assert "exists already; choose another name, or another folder by --output" in capsys.readouterr().err


def test_of_two_runs_at_once_one_makes_the_package(tmp_path, capsys, monkeypatch):
    package, render = tmp_path / "made" / "obs_toycam", create.render_template

    def later(*arguments):
        package.mkdir()
        (package / "mine.txt").touch()
        return render(*arguments)

    monkeypatch.setattr(create, "render_template", later)
    assert new(tmp_path, "toycam") == 1
    assert f"{package} exists already; choose another name" in capsys.readouterr().err
    assert [path.name for path in package.parent.rglob("*")] == ["obs_toycam", "mine.txt"]


def test_a_file_with_a_detector_in_each_extension(tmp_path):
    extensions = [
        (
            [("EXTNAME", f"ccd{n:02d}"), ("CCDNUM", n), ("DETSEC", f"[{n * 64 - 63}:{n * 64},1:40]")],
            flat_frame((40, 64), seed=n),
        )
        for n in (1, 2)
    ]
    raw = write_frame(tmp_path / "raw.fits", COMMON, extensions=extensions)
    assert new(tmp_path, "toycam", "--from", raw) == 0
    package = tmp_path / "made" / "obs_toycam"
    assert check_package(str(package)) == []
    rows = (package / "obs_toycam" / "camera" / "detectors.csv").read_text().splitlines()[2:]
    assert [row.split(",")[:2] for row in rows] == [["1", "ccd01"], ["2", "ccd02"]]
    assert [row.split(",")[9] for row in rows] == ["-0.48", "0.48"]


def test_without_a_terminal_no_question_is_asked_and_it_says_so(tmp_path, capsys):
    assert main(["new", "toycam", "--output", str(tmp_path)]) == 0
    assert "no question was asked, because standard input is not a terminal" in capsys.readouterr().err
