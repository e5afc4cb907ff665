"""Filters of warnings of several threads at the same time."""

import warnings

from obs.filtered_warnings import filtered_warnings


def ignore_users():
    warnings.simplefilter("ignore", UserWarning)


def forbid_missing():
    warnings.filterwarnings("error", message="missing")


def ignore_all():
    warnings.simplefilter("ignore")


def test_blocks_that_end_in_any_order_leave_the_filters_as_they_were():
    before = list(warnings.filters)
    first, second, third = map(filtered_warnings, (ignore_users, forbid_missing, ignore_all))
    first.__enter__()
    second.__enter__()
    third.__enter__()
    warnings.warn("missing", stacklevel=1)
    first.__exit__(None, None, None)
    third.__exit__(None, None, None)
    assert warnings.filters[0][0] == "error"
    assert warnings.filters[1:] == before
    second.__exit__(None, None, None)
    assert warnings.filters == before
