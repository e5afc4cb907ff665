from functools import partial

import pytest

from obs.errors import MeasurementError
from obs.repo.good_psfs import PsfAwaitedError
from obs.runs.two_passes import run_in_two_passes

DATA_IDS = [{"visit": number} for number in range(4)]


def work(data_id, /, calls, *, may_wait):
    """Visits 0 and 2 have no stars, visit 3 fails."""
    calls.append(data_id["visit"])
    if data_id["visit"] == 3:
        raise MeasurementError("nothing to see")
    if data_id["visit"] % 2 == 0 and may_wait:
        raise PsfAwaitedError
    return data_id["visit"]


def test_those_that_wait_come_last_and_are_told_once():
    calls, told = [], []
    outcomes = run_in_two_passes(partial(work, calls=calls), DATA_IDS, on_done=told.append)
    assert calls == [0, 1, 2, 3, 0, 2]
    assert [outcome.result for outcome in outcomes] == [0, 1, 2, None]
    assert [outcome.data_id["visit"] for outcome in told] == [1, 3, 0, 2]
    assert [outcome.error for outcome in outcomes] == ["", "", "", "nothing to see"]


def test_one_alone_waits_for_nobody():
    calls = []
    assert run_in_two_passes(partial(work, calls=calls), DATA_IDS[:1])[0].result == 0
    assert calls == [0]


def test_waiting_is_no_error_where_errors_are_raised():
    calls = []
    with pytest.raises(MeasurementError, match="nothing to see"):
        run_in_two_passes(partial(work, calls=calls), DATA_IDS, raise_errors=True)
    assert [o.result for o in run_in_two_passes(partial(work, calls=[]), DATA_IDS[:3], raise_errors=True)] == [0, 1, 2]
