"""Reference catalogs from a TAP service, which runs on this machine."""

import base64
import io
import re
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import numpy as np
import pytest
from astropy.io.votable import from_table
from astropy.table import MaskedColumn, Table

from obs.errors import DataIdError, FileFormatError, OutputError
from obs.ingest.surveys import download as module
from obs.ingest.surveys.definitions import SURVEYS, Survey, find_survey
from obs.ingest.surveys.download import Circle, cache_folder, download
from obs.repo.fits_catalog import read_catalog
from obs.repo.reference_catalog import load_reference_catalog
from obs.sky_vectors import sky_vectors

FIELD = Circle(150.0, 2.0, 0.3)


def gaia_stars(n=400, center=FIELD, spread=0.6):
    """Return a table as Gaia's, of which some stars lie outside the circle, and some lack a color."""
    random = np.random.default_rng(1)
    table = Table()
    table["source_id"] = np.arange(n) + 2**60
    table["ra"] = center.ra + random.uniform(-spread, spread, n)
    table["dec"] = center.dec + random.uniform(-spread, spread, n)
    for name in ("pmra", "pmdec"):
        table[name] = random.normal(0.0, 5.0, n)
        table[f"{name}_error"] = 0.05
    table["parallax"], table["parallax_error"] = 1.0, 0.1
    table["phot_g_mean_mag"] = random.uniform(12.0, 20.0, n)
    color = random.uniform(0.4, 2.5, n)
    table["phot_bp_mean_mag"] = MaskedColumn(table["phot_g_mean_mag"] + 0.6 * color, mask=np.arange(n) % 10 == 0)
    table["phot_rp_mean_mag"] = table["phot_bp_mean_mag"] - color
    for band in ("g", "bp", "rp"):
        table[f"phot_{band}_mean_flux_over_error"] = 500.0
    for name, unit in {"ra": "deg", "dec": "deg", "pmra": "mas/yr", "pmdec": "mas/yr"}.items():
        table[name].unit = unit
    return table


class Service(BaseHTTPRequestHandler):
    """Answers queries for a circle from the table of the server."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        query = parse_qs(body)["QUERY"][0]
        self.server.queries.append(query)
        self.server.authorization = self.headers["Authorization"]
        if self.server.failure:
            self.send_error(503, self.server.failure)
            return
        ra, dec, radius = map(float, re.search(r"CIRCLE\('ICRS', ([-\d.]+), ([-\d.]+), ([-\d.]+)\)", query).groups())
        table, survey = self.server.table, self.server.survey
        distance = np.linalg.norm(sky_vectors(table[survey.ra], table[survey.dec]) - sky_vectors(ra, dec), axis=1)
        inside = distance <= np.radians(radius)
        if limit := re.search(r"AND (\w+) < ([\d.]+)$", query):
            inside &= table[limit[1]] < float(limit[2])
        file = io.BytesIO()
        from_table(table[inside]).to_xml(file)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-votable+xml")
        self.end_headers()
        if self.server.silent:
            for _ in range(200 if self.server.drips else 1):
                if self.server.silent.wait(0.1 if self.server.drips else 20):
                    return
                self.wfile.write(b" ")
            return
        self.wfile.write(self.server.change(file.getvalue()))

    def log_message(self, *words):
        """Stay silent."""


@pytest.fixture
def service(tmp_path, monkeypatch):
    """A TAP service with stars of Gaia; ``url`` and ``queries`` tell where it is and what it was asked."""
    monkeypatch.setenv("OBS_CACHE", str(tmp_path / "cache"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.table, server.survey, server.queries, server.failure = gaia_stars(), SURVEYS["gaia"], [], ""
    server.drips = False
    server.silent, server.change = None, lambda answer: answer
    server.url = f"http://127.0.0.1:{server.server_port}/tap"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_circle_of_gaia(service):
    path = download(find_survey(f"gaia@{service.url}"), FIELD)
    catalog = read_catalog(path)
    table = service.table
    inside = np.hypot((table["ra"] - FIELD.ra) * np.cos(np.radians(FIELD.dec)), table["dec"] - FIELD.dec) < FIELD.radius
    assert len(catalog) == inside.sum()
    assert catalog["id"].tolist() == table["source_id"][inside].tolist()
    assert catalog.columns["pmra"].unit.replace(" ", "") == "mas/yr"
    assert set(catalog["ref_epoch"]) == {2016.0}
    assert catalog["e_G_mag"] == pytest.approx(2.5 / np.log(10) / 500.0)


def test_a_circle_is_downloaded_once(service):
    survey = find_survey(f"gaia@{service.url}")
    first = download(survey, FIELD)
    assert download(survey, FIELD) == first
    assert len(service.queries) == 1
    assert download(survey, FIELD, faintest=15.0) != first
    assert service.queries[1].endswith("AND phot_g_mean_mag < 15")


def test_a_service_that_refuses(service):
    service.failure = "down for maintenance"
    with pytest.raises(OutputError, match=r"does not answer: .*503.*name a mirror with --from gaia@URL"):
        download(find_survey(f"gaia@{service.url}"), FIELD)
    assert not list(cache_folder().rglob("*.fits"))


def test_a_service_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("OBS_CACHE", str(tmp_path))
    with pytest.raises(OutputError, match=r"http://127\.0\.0\.1:9/tap does not answer: connection refused\. Try"):
        download(find_survey("ps1@http://127.0.0.1:9/tap"), FIELD)


NOT_WHOLE = r"is not a whole table: .*Try again later, name a mirror with --from gaia@URL, or give"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda answer: b"<html><h1>Service Unavailable</h1></html>", NOT_WHOLE),
        (lambda answer: answer[: len(answer) // 2], NOT_WHOLE),
        (lambda answer: b"", NOT_WHOLE),
        (
            lambda answer: answer.replace(b"</RESOURCE>", b'<INFO name="QUERY_STATUS" value="OVERFLOW"/></RESOURCE>'),
            r"left out objects: .*truncated at \d+ records.*Set --faintest or a smaller --radius",
        ),
    ],
)
def test_answers_that_are_broken(service, change, message):
    service.change = change
    with pytest.raises((OutputError, FileFormatError), match=message):
        download(find_survey(f"gaia@{service.url}"), FIELD)
    assert not list(cache_folder().rglob("*.fits"))


def test_a_service_that_stays_silent(service, monkeypatch):
    monkeypatch.setattr(module, "SILENCE", (5.0, 0.1))
    service.silent = threading.Event()
    with pytest.raises(OutputError, match=r"does not answer: .*timed out"):
        download(find_survey(f"gaia@{service.url}"), FIELD)
    service.silent.set()


def test_an_answer_that_drips_forever(service, monkeypatch):
    monkeypatch.setattr(module, "LONGEST", 0.4)
    service.silent, service.drips = threading.Event(), True
    with pytest.raises(OutputError, match=r"is not through after 0\.4 s\. Set --faintest or a smaller --radius"):
        download(find_survey(f"gaia@{service.url}"), FIELD)
    service.silent.set()
    assert not list(cache_folder().rglob("*.fits"))


@pytest.mark.parametrize("value", [np.nan, 10.0, 1e9])
def test_objects_that_are_not_where_they_were_asked_for(service, value):
    ra = re.compile(rb"<TD>\d+</TD>\s*<TD>([-\d.]+)</TD>")
    service.change = lambda answer: ra.sub(lambda row: row[0].replace(row[1], str(value).encode()), answer)
    with pytest.raises(
        FileFormatError, match=r"objects are not in the circle of 0.3 degrees around ra=150 dec=2, such"
    ):
        download(find_survey(f"gaia@{service.url}"), FIELD)
    assert not list(cache_folder().rglob("*.fits"))


def test_an_answer_without_a_column(service):
    del service.table["parallax"]
    with pytest.raises(FileFormatError, match="the answer has no column parallax"):
        download(find_survey(f"gaia@{service.url}"), FIELD)


def test_an_answer_that_was_cut_off(service, monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 20)
    with pytest.raises(FileFormatError, match=r"more than 20 objects .*; set --faintest"):
        download(find_survey(f"gaia@{service.url}"), FIELD)


def test_all_columns_of_any_table(service):
    table = Table({"RAJ2000": [150.0], "DEJ2000": [2.0], "Vmag": [12.0], "e_Vmag": [0.1], "name": ["star"]})
    service.table, service.survey = table, Survey("x", "", "", ra="RAJ2000", dec="DEJ2000")
    survey = find_survey(service.url, table='"II/1/stars"')
    catalog = read_catalog(download(survey, FIELD))
    assert catalog.schema.names == ["RAJ2000", "DEJ2000", "Vmag", "e_Vmag"]
    assert service.queries[0].startswith('SELECT * FROM "II/1/stars" WHERE')


def test_a_password_is_used_and_not_shown(service, obs, repository):
    service.failure = "down for maintenance"
    url = service.url.replace("://", "://me:se%40cret@")
    words = ("refcat", "get", repository, "--from", f"gaia@{url}?token=hush", "--ra", 150, "--dec", 2)
    status, out, err = obs(*words)
    assert status == 1
    assert "://me:***@" in err
    assert "?token=***" in err
    assert not re.search("cret|hush", out + err)
    assert service.authorization == f"Basic {base64.b64encode(b'me:se@cret').decode()}"
    with pytest.raises(OutputError) as caught:
        obs(*words, "--doraise")
    assert "cret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", SURVEYS)
def test_queries_name_every_column(name):
    query = SURVEYS[name].query(ra=10.0, dec=-5.0, radius=0.5, faintest=18.0)
    assert "CIRCLE('ICRS', 10.000000, -5.000000, 0.500000)" in query
    assert all(column in query for column in SURVEYS[name].columns)
    assert query.endswith("< 18")


@pytest.mark.parametrize(
    ("name", "table", "message"),
    [
        ("gaja", None, "no survey 'gaja'; did you mean 'gaia'"),
        ("http://example.org/tap", None, "which table of http://example.org/tap. Name it with --table"),
        ("gaia@nonsense", None, "'nonsense' is not the address of a TAP service, such as https://HOST/tap"),
        ("gaia@https://", None, "'https://' is not the address of a TAP service"),
        ("gaia", "t; DROP TABLE x", "is not the name of a table"),
        ("gaia", "(SELECT 1)", "is not the name of a table"),
    ],
)
def test_impossible_surveys(name, table, message):
    with pytest.raises(DataIdError, match=re.escape(message).replace(r"\.", ".")):
        find_survey(name, table=table)


def test_the_command_makes_a_reference_catalog(service, obs, repository):
    words = ("refcat", "get", repository, "--from", f"gaia@{service.url}")
    status, out, err = obs(*words, "--ra", 150, "--dec", 2, "--radius", 0.3)
    assert status == 0, err
    catalog = load_reference_catalog(repository / "ref_cats" / "gaia", ra=150.0, dec=2.0, radius=0.3)
    n = len(catalog)
    assert f"{n} objects" in out
    assert {"V_flux", "V_fluxErr", "g_flux", "G_flux", "pm_ra", "parallax", "epoch"} <= set(catalog.columns)
    assert np.median(catalog["epoch"]) == pytest.approx(57388.5, abs=1.0)
    status, out, err = obs(*words, "--ra", 150, "--dec", 2, "--radius", 0.3, "--clobber")
    assert (status, len(service.queries)) == (0, 1)


def test_a_part_of_the_sky_that_the_survey_lacks(service, obs, repository):
    status, _, err = obs("refcat", "get", repository, "--from", f"gaia@{service.url}", "--ra", 10, "--dec", -80)
    assert status == 1
    assert "has no object in 1 circles" in err


def test_a_repository_without_pointings(service, obs, repository):
    status, _, err = obs("refcat", "get", repository, "--from", f"gaia@{service.url}")
    assert status == 1
    assert "give the field with --ra and --dec" in err
