"""What a run says at its end."""

import logging
from types import SimpleNamespace

from obs.cli.progress import Progress, format_duration
from obs.cli.report import warning_lines
from obs.executor.outcome import Outcome
from obs.step_log import STEP_LOGGER, log_step


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


def test_progress_tells_rate_failures_and_steps():
    lines = []
    progress = Progress(4, lines.append)
    assert progress.summary() == "0 done, 0 failed of 4"
    progress.done(Outcome({"visit": 1}, None, "no flat", "DatasetNotFoundError", "", 1.0))
    assert lines == ["[1/4] visit=1: FAILED: no flat"]
    assert progress.summary().startswith("0 done, 1 failed of 4; ")
    assert (format_duration(40), format_duration(400)) == ("40 s", "7 min")


def test_steps_are_said_only_to_those_who_listen(caplog):
    log_step("isr")
    assert not caplog.records
    logger = logging.getLogger(STEP_LOGGER)
    logger.setLevel(logging.INFO)
    try:
        log_step("isr")
    finally:
        logger.setLevel(logging.NOTSET)
    assert [record.getMessage() for record in caplog.records] == ["isr"]
