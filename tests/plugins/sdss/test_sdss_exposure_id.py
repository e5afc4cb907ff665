"""Numbers of frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import DataIdError
from obs_sdss.exposure_id import exposure_id

ID = {"run": 4192, "camcol": 4, "field": 300, "filter": "r"}


def test_digits_are_run_filter_camcol_field():
    assert exposure_id(ID) == 4192240300


@given(
    run=st.integers(0, 137437),
    camcol=st.integers(1, 6),
    field=st.integers(0, 9999),
    band=st.sampled_from("ugriz"),
)
def test_number_gives_the_data_id_back_and_fits(run, camcol, field, band):
    number = exposure_id({"run": run, "camcol": camcol, "field": field, "filter": band})
    assert 0 <= number < 2**37
    assert (number // 1_000_000, "ugriz"[number // 100_000 % 10], number // 10_000 % 10, number % 10_000) == (
        run,
        band,
        camcol,
        field,
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"field": 10000}, r"^field=10000 is not from 0 to 9999$"),
        ({"camcol": 0}, r"^camcol=0 is not from 1 to 6$"),
        ({"run": 300000}, r"^run=300000 is not from 0 to 137437$"),
        ({"filter": "y"}, r"^filter=y is none of u, g, r, i, z$"),
        ({"filter": "gr"}, r"^filter=gr is none of u, g, r, i, z$"),
    ],
)
def test_what_has_no_digits_is_refused(change, message):
    with pytest.raises(DataIdError, match=message):
        exposure_id(ID | change)


@pytest.mark.parametrize("key", ID)
def test_missing_key_is_named(key):
    with pytest.raises(DataIdError, match=f"^the number of an exposure needs the key '{key}'$"):
        exposure_id({k: v for k, v in ID.items() if k != key})


@pytest.mark.parametrize("band", "gr")
def test_stack_ids_are_the_number_and_a_counter(stack_catalog, band):
    ids = stack_catalog(band)["id"]
    assert set(ids >> 26) == {exposure_id(ID | {"filter": band})}
    assert sorted(ids & (2**26 - 1)) == list(range(1, len(ids) + 1))
