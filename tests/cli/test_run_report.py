"""What a run says at its end."""

from types import SimpleNamespace

from obs.cli.report import warning_lines
from obs.executor.outcome import Outcome


def outcome(visit, *warnings):
    return Outcome({"visit": visit, "ccd": 0}, SimpleNamespace(warnings=warnings), "", "", 1.0)


def test_a_band_that_is_not_in_the_catalog_is_told_once_for_a_run():
    text = "no zero point: the reference catalog has no flux '{}_flux' (it has G_flux); add that band to the catalog"
    outcomes = [outcome(n, text.format("V" if n < 40 else "R")) for n in range(60)]
    lines = warning_lines(outcomes)
    assert len(lines) == 2
    assert lines[0] == (
        f"WARNING {text.format('V')} (40 of 60 data IDs: visit=0 ccd=0; visit=1 ccd=0; visit=2 ccd=0; ...)"
    )
    assert lines[1].startswith(f"WARNING {text.format('R')} (20 of 60 data IDs: visit=40 ccd=0;")
