"""Keys that are looked up, levels, and suffixes."""

import pytest

from obs.errors import DataIdError, DatasetNotFoundError, RepositoryError
from obs.policy.mapper import Mapper
from obs.policy.policy import load_policy
from obs.repo.registry import Registry

POLICY = """\
camera: ../camera
defaultLevel: sensor
levels: {skyTile: [visit, ccd], visit: ccd, sensor: none}
defaultSubLevels: {skyTile: visit, visit: sensor, sensor: none}
exposures:
  raw:
    template: '%(field)s/%(dateObs)s/%(filter)s/%(visit)d-%(ccd)02d.fits'
    tables: [raw, raw_visit]
  calexp:
    template: calexp/%(pointing)d/%(filter)s/%(visit)d-%(ccd)02d.fits
    tables: [raw, raw_visit]
  warp:
    template: warp/%(tract)d/%(patch)s/%(visit)d.fits
calibrations:
  bias:
    template: BIAS/%(calibDate)s-%(ccd)02d.fits
    columns: [ccd, taiObs]
    refCols: [visit, filter]
    reference: raw_visit
    tables: bias
    validRange: true
  flat:
    template: FLAT/%(calibDate)s-%(filter)s-%(ccd)02d.fits
  defects:
    template: DEFECTS/%(calibDate)s-%(ccd)02d.fits
    reference: raw_skyTile
datasets:
  src: {template: 'src/%(visit)d-%(ccd)02d.fits'}
  coadd: {template: 'coadd/%(tract)d-%(filter)s.fits', tables: raw}
"""


class Counting:
    """Passes everything on, and notes which tables were asked."""

    def __init__(self, registry):
        self.registry, self.asked, self.advice = registry, [], registry.advice

    def columns(self, tables):
        return self.registry.columns(tables)

    def has_table(self, table):
        return self.registry.has_table(table)

    def lookup(self, columns, where, tables, *, between=None):
        self.asked.append(tuple(tables))
        return self.registry.lookup(columns, where, tables, between=between)


@pytest.fixture
def registry(tmp_path):
    registry = Registry(tmp_path / "registry.sqlite3", read_only=False)
    columns = {"visit": "int", "ccd": "int", "filter": "text", "field": "text", "dateObs": "text", "taiObs": "text"}
    registry.create_table("raw", {**columns, "pointing": "int"}, ["visit", "ccd"])
    visit = {name: columns[name] for name in ("visit", "filter", "taiObs")}
    registry.create_table("raw_visit", visit, ["visit"], numbered=False)
    days = {1: "2020-01-05", 2: "2020-01-10", 3: "2020-01-20", 4: "2021-01-01"}
    for number, day in days.items():
        name = "r" if number != 2 else "g"
        row = {"visit": number, "filter": name, "taiObs": day}
        registry.insert("raw_visit", [row])
        more = {"field": "F", "dateObs": day, "pointing": 700 + number}
        registry.insert("raw", [{**row, **more, "ccd": ccd} for ccd in (0, 1)])
    return Counting(registry)


@pytest.fixture
def calib_registry(tmp_path):
    registry = Registry(tmp_path / "calibRegistry.sqlite3", read_only=False)
    columns = dict.fromkeys(["filter", "calibDate", "validStart", "validEnd"], "text")
    for table in ("bias", "flat", "defects"):
        registry.create_table(table, {**columns, "ccd": "int"}, ["filter", "ccd", "calibDate"])
        for ccd in (0, 1):
            for name in ("NONE",) if table != "flat" else ("g", "r"):
                for day, start, end in (("02", "01", "10"), ("15", "11", "20")):
                    days = {"calibDate": day, "validStart": start, "validEnd": end}
                    row = {key: f"2020-01-{value}" for key, value in days.items()}
                    registry.insert(table, [{**row, "filter": name, "ccd": ccd}])
    return registry


@pytest.fixture
def mapper(tmp_path, registry, calib_registry):
    path = tmp_path / "cam.yaml"
    path.write_text(POLICY)
    return Mapper(load_policy(path), registry=lambda: registry, calib_registry=lambda: calib_registry)


def test_missing_keys_are_looked_up(mapper):
    assert mapper.path("calexp", {"visit": 3, "ccd": 1}) == "calexp/703/r/3-01.fits"
    assert mapper.path("raw", {"visit": "2", "ccd": "0"}) == "F/2020-01-10/g/2-00.fits"


def test_a_complete_data_id_needs_no_registry(mapper, registry):
    assert mapper.path("calexp", {"pointing": 1, "filter": "x", "visit": 9, "ccd": 0}) == "calexp/1/x/9-00.fits"
    assert registry.asked == []


def test_visit_keys_come_from_the_table_of_visits(mapper, registry):
    assert mapper.complete("calexp", {"visit": 3}, ["filter"]) == {"visit": 3, "filter": "r"}
    assert registry.asked == [("raw_visit",)]


def test_more_than_one_match_is_named(mapper):
    message = r"calexp: No unique lookup for pointing, filter, ccd from visit=3 in .*: 2 matches \(.*ccd=0, .*ccd=1\)"
    with pytest.raises(DataIdError, match=message):
        mapper.path("calexp", {"visit": 3})


def test_many_matches_are_cut_short(mapper):
    with pytest.raises(
        DataIdError, match=r"from nothing in raw: 8 matches \(visit=1 ccd=0, visit=1 ccd=1, visit=2 ccd=0, \.\.\.\)"
    ):
        mapper.path("src", {})


def test_no_match(mapper):
    with pytest.raises(
        DatasetNotFoundError, match=r"calexp: No unique lookup for pointing, filter from visit=99 .*: 0 matches"
    ):
        mapper.path("calexp", {"visit": 99, "ccd": 0})


@pytest.mark.parametrize("key", ["tract", "patch"])
def test_sky_keys_are_never_looked_up(mapper, key):
    known = {"tract": 1, "patch": "1,1", "visit": 1}
    del known[key]
    with pytest.raises(DataIdError, match=f"warp: the key '{key}' is never looked up; it must be in the data ID"):
        mapper.path("warp", known)


def test_a_key_that_no_table_has(mapper):
    with pytest.raises(
        DataIdError, match=r"src: no column 'expTime' in raw; give it in the data ID \(given: visit=1\)"
    ):
        mapper.complete("src", {"visit": 1}, ["expTime"])


@pytest.mark.parametrize(("visit", "day"), [(1, "02"), (2, "02"), (3, "15")])
def test_calibrations_are_chosen_by_validity_ends_included(mapper, visit, day):
    assert mapper.path("bias", {"visit": visit, "ccd": 1}) == f"BIAS/2020-01-{day}-01.fits"


def test_the_default_selection_uses_what_observation_and_calibration_share(mapper):
    assert mapper.path("flat", {"visit": 2, "ccd": 0}) == "FLAT/2020-01-02-g-00.fits"
    assert mapper.path("flat", {"visit": 3, "ccd": 0}) == "FLAT/2020-01-15-r-00.fits"


def test_nothing_valid(mapper):
    message = (
        r"no bias for ccd=1 taiObs=2021-01-01 among 4 in the registry of calibrations; refused: "
        r"filter=NONE calibDate=2020-01-02 ccd=1: it is valid from 2020-01-01 to 2020-01-10; .*"
        r"calibDate=2020-01-15 ccd=0: its ccd is 0, it is valid from"
    )
    with pytest.raises(DatasetNotFoundError, match=message):
        mapper.path("bias", {"visit": 4, "ccd": 1})


def test_an_observation_that_cannot_be_found(mapper):
    with pytest.raises(
        RepositoryError, match="defects: the registry has no table raw_skyTile to find the observation in"
    ):
        mapper.path("defects", {"visit": 4, "ccd": 1})


def test_levels(mapper):
    assert list(mapper.key_types("calexp")) == ["pointing", "filter", "visit", "ccd"]
    assert list(mapper.key_types("calexp", "")) == ["pointing", "filter", "visit", "ccd"]
    assert list(mapper.key_types("calexp", "visit")) == ["pointing", "filter", "visit"]
    assert list(mapper.key_types("calexp", "skyTile")) == ["pointing", "filter"]
    assert mapper.sub_level("skyTile") == "visit"
    assert mapper.sub_level("visit") == "sensor"
    assert mapper.sub_levels("calexp", "visit") == ["sensor"]
    with pytest.raises(DataIdError, match=r"the policy has no level 'vist'; did you mean 'visit'\?"):
        mapper.key_types("calexp", "vist")


def test_keys_of_all_dataset_types(mapper):
    assert {"tract", "calibDate", "visit"} <= mapper.key_types().keys()


def test_keys_for_the_command_line_include_those_of_the_registry(mapper):
    assert mapper.id_keys("src") == {
        "visit": int,
        "ccd": int,
        "filter": str,
        "field": str,
        "dateObs": str,
        "taiObs": str,
        "pointing": int,
    }


def test_query(mapper):
    assert mapper.query("raw", ["filter"], {}) == [("g",), ("r",)]
    assert mapper.query("raw", ["visit", "filter"], {"ccd": "1", "filter": "r"}) == [(1, "r"), (3, "r"), (4, "r")]
    assert mapper.query("coadd", ["tract", "filter"], {"tract": 5}) == [(5, "g"), (5, "r")]
    with pytest.raises(DataIdError, match=r"raw: unknown key 'vist'; did you mean 'visit'\?; keys: visit, ccd"):
        mapper.query("raw", ["vist"], {})
    with pytest.raises(DataIdError, match="raw: unknown key 'nonsense'"):
        mapper.query("raw", ["visit"], {"nonsense": 1})


def test_suffixes(mapper):
    assert [
        (kind.name, suffix) for kind, suffix in map(mapper.split, ("calexp_wcs", "src_schema", "raw_header_wcs"))
    ] == [
        ("calexp", "wcs"),
        ("src_schema", ""),
        ("raw", "header_wcs"),
    ]
    with pytest.raises(DatasetNotFoundError, match=r"cam\.yaml has no dataset type 'calxp'; did you mean 'calexp'\?"):
        mapper.split("calxp")


def test_aliases(mapper):
    mapper.define_alias("@out", "calexp")
    assert mapper.split("@out_wcs")[0].name == "calexp"
    with pytest.raises(DataIdError, match="an alias starts with '@', got 'out'"):
        mapper.define_alias("out", "calexp")
    with pytest.raises(DataIdError, match="the alias @out already means 'calexp'"):
        mapper.define_alias("@out", "src")
