"""Tables of wrong headers: which frames they mean, what they change, and slips in them."""

import re

import pytest

from obs.cli.main import main
from obs.errors import ConfigError
from obs.instrument.card_values import parse_date
from obs.instrument.header import Header
from obs.instrument.header_fixes import load_header_fixes
from obs.instrument.translator import Translator
from obs.scaffold.answers import Answers
from obs.scaffold.create import create_package

HEADER = {"RUN": 7, "CCD": 3, "FILTER": "HSC-G", "DATE-OBS": "2013-01-07T05:00:00", "EXPTIME": 30.0, "AIRMASS": 1.2}


class FixedTranslator(Translator):
    columns = {"visit": int, "ccd": int, "filter": str, "dateObs": str}
    unique = ("visit", "ccd")
    translation = {
        "visit": "RUN",
        "ccd": "CCD",
        "filter": "FILTER",
        "date_begin": "DATE-OBS",
        "exposure_time": ("EXPTIME", {"unit": "s"}),
        "airmass": "AIRMASS",
    }

    def translate_dateObs(self, md):
        return parse_date(md["DATE-OBS"]).date().isoformat()


@pytest.fixture
def translate(tmp_path):
    """Translate a header with a table of wrong ones."""

    def run(table, **changes):
        path = tmp_path / "fixes.yaml"
        path.write_text(table)
        load_header_fixes.cache_clear()
        kind = type("Fixed", (FixedTranslator,), {"header_fixes": str(path)})
        header = {key: value for key, value in (HEADER | changes).items() if value is not None}
        return kind().registry_columns(header) | {"info": kind().visit_info(header)}

    return run


@pytest.mark.parametrize(
    ("conditions", "applies"),
    [
        ("dates: 2013-01-05..2013-01-07", True),
        ("dates: 2013-01-07", True),
        ("dates: 2013-01-07T04:00:00..2013-01-07T05:00:00", True),
        ("dates: 2013-01-07T05:00:01..", False),
        ("dates: ..2013-01-06", False),
        ("dates: 2013-01-05..", True),
        ("exposures: {visit: 7}", True),
        ("exposures: {visit: 5..9, ccd: [1, 3]}", True),
        ("exposures: {visit: [1, 2, 8..], ccd: 3}", False),
        ("exposures: {visit: 7, ccd: 4}", False),
        ("exposures: {filter: HSC-G}", True),
        ("cards: {FILTER: HSC-G, CCD: 3}", True),
        ("cards: {FILTER: HSC-R}", False),
        ("cards: {NOTHERE: 1}", False),
        ("dates: 2013-01-07\n  exposures: {visit: 8}", False),
    ],
)
def test_which_frames_are_meant(translate, conditions, applies):
    row = translate(f"- {conditions}\n  set: {{FILTER: HSC-R}}\n")
    assert row["filter"] == ("HSC-R" if applies else "HSC-G")


def test_cards_are_set_copied_and_removed(translate):
    table = "- dates: 2013-01-07\n  set: {EXPTIME: 60.0}\n  copy: {FILTER: WHEEL2}\n  remove: [AIRMASS]\n"
    row = translate(table, WHEEL2="HSC-Y")
    assert (row["filter"], row["info"].exposure_time) == ("HSC-Y", 60.0)
    assert row["info"].airmass != row["info"].airmass
    assert translate(table)["filter"] == "HSC-G"  # no card to copy


def test_later_entries_win_and_conditions_see_the_file_s_own_header(translate):
    table = "- cards: {FILTER: HSC-G}\n  set: {FILTER: A}\n- cards: {FILTER: HSC-G}\n  set: {FILTER: B}\n"
    assert translate(table + "- cards: {FILTER: B}\n  set: {FILTER: C}\n")["filter"] == "B"


def test_a_date_that_cannot_be_read_is_in_no_span(translate):
    table = "- dates: 2013-01-01..\n  set: {FILTER: HSC-R}\n- cards: {DATE-OBS: never}\n  set: {DATE-OBS: 2013-01-08}\n"
    row = translate(table, **{"DATE-OBS": "never"})
    assert (row["filter"], row["dateObs"]) == ("HSC-G", "2013-01-08")


def test_an_open_header_is_not_fixed_twice():
    md = FixedTranslator().open(HEADER)
    assert isinstance(md, Header)
    assert FixedTranslator().open(md) is md


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("set: {A: 1}", "1: expected a list of entries, each beginning with '- ', got a mapping"),
        ("- 3", "1: an entry has the keys why, dates, exposures, cards, set, copy, remove; here is 3"),
        ("- dates: 2013-01-01\n  sett: {A: 1}", "2: sett: this key is unknown; did you mean 'set'?"),
        ("- set: {A: 1}", "1: the entry does not say which frames are meant: give it dates or exposures or cards"),
        ("- dates: 2013-01-01", "1: the entry does not say what is to be changed: give it set or copy or remove"),
        ("- dates: 2013-01-32..\n  set: {A: 1}", "1: dates: '2013-01-32' is not a date like '2020-09-04T21:30:00'"),
        ("- dates: 2013-02-01..2013-01-01\n  set: {A: 1}", "1: dates: '2013-02-01..2013-01-01' ends before it begins"),
        ("- dates: '..'\n  set: {A: 1}", "1: dates: '..' is not a span of time such as 2013-01-05..2013-01-12"),
        ("- exposures: {visit: 1..x}\n  set: {A: 1}", "1: exposures.visit: '1..x' is not a range such as 904030"),
        ("- exposures: {visit: 9..1}\n  set: {A: 1}", "1: exposures.visit: '9..1' ends before it begins"),
        ("- exposures: {visit: {}}\n  set: {A: 1}", "1: exposures.visit: {} is not a value: give one, a range such as"),
        ("- exposures: 5\n  set: {A: 1}", "1: exposures: expected a mapping such as {FILTER: HSC-R}, got 5"),
        ("- cards: {A: 1}\n  set:\n    filter: r", "3: set.filter: 'filter' is not a keyword of a header: capitals,"),
        ("- cards: {A: 1}\n  set: {A: [1]}", "2: set.A: a card holds a number, a text or true and false, not a list"),
        ("- cards: {A: 1}\n  copy: {A: b}", "2: copy.A: 'b' is not a keyword of a header"),
        ("- cards: {A: 1}\n  remove: [a]", "2: remove: 'a' is not a keyword of a header"),
        ("- exposures: {vist: 1}\n  set: {A: 1}", "1: exposures: 'vist' is not a column; did you mean 'visit'?"),
        ("- [", "invalid YAML"),
    ],
)
def test_slips_are_told_with_their_line(translate, table, message):
    with pytest.raises(ConfigError, match=rf"fixes\.yaml:.*{re.escape(message)}"):
        translate(table)


def test_a_table_that_is_missing_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing\.yaml: cannot read this file"):
        load_header_fixes(tmp_path / "nothing.yaml")


def test_check_reads_the_table(tmp_path, capsys):
    package = create_package(Answers(camera="fixing"), tmp_path)
    translator = package / "obs_fixing" / "translator.py"
    translator.write_text(
        translator.read_text().replace("    columns = {", '    header_fixes = "fixes.yaml"\n    columns = {')
    )
    table = translator.parent / "fixes.yaml"
    table.write_text("- dates: 2013-01-05\n  set: {FILTER: r}\n")
    assert main(["check", str(package)]) == 0
    load_header_fixes.cache_clear()
    table.write_text("- dates: 2013-01-05\n  sets: {FILTER: r}\n")
    assert main(["check", str(package)]) == 1
    assert "obs_fixing/fixes.yaml:2: sets: this key is unknown; did you mean 'set'?" in capsys.readouterr().err
