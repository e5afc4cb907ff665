"""Templates: from a data ID to a path and back."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from obs.errors import DataIdError, PolicyError
from obs.policy.dataset_type import DatasetType, Template, split_hdu

TEMPLATES = [
    "%(field)s/%(dateObs)s/%(pointing)05d/%(filter)s/HSC-%(visit)07d-%(ccd)03d.fits",
    "%(run)d/%(rerun)d/corr/%(camcol)d/fpC-%(run)06d-%(filter)s-%(field)04d.fit.gz",
    "sci/%(run)d/%(filter)s%(camcol)d-%(run)06d.fits",
    "%(visit)d.fits.fz[%(hdu)d]",
    "%(ccd)i/%(state)1s-%(visit)x.fits",
    "%(temperature).2f/%(visit)+05d.fits",
    "100%%/%(visit)5d/%(filter)-8s|.fits",
    "%(filter)r/%(visit)s.fits",
]
TEXT = st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters="_-+ "), min_size=1, max_size=8)


def values(kind):
    if kind is int:
        return st.integers(0, 10**8)
    return st.floats(-1000, 1000).map(lambda x: round(x, 2) + 0.0) if kind is float else TEXT


@pytest.mark.parametrize("text", TEMPLATES)
@given(data=st.data())
def test_round_trip(text, data):
    template = Template(text)
    data_id = {key: data.draw(values(kind), label=key) for key, kind in template.keys.items()}
    path = template.format(data_id)
    # Where text and number stand side by side, only the last digit can be the number; a blank may be padding.
    assume("%(filter)s%(camcol)d" not in text or (data_id["filter"][-1].isalnum() and data_id["camcol"] < 10))
    assume(not any(isinstance(value, str) and value != value.strip() for value in data_id.values()))
    assert template.parse(path) == data_id


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["d", "04d", "s"])), min_size=1, max_size=4), st.data()
)
def test_round_trip_of_any_template(parts, data):
    template = Template("/".join(f"x-%({key}){conversion}.fits" for key, conversion in parts))
    data_id = {
        key: data.draw(values(kind).filter(lambda v: v == str(v).strip() or isinstance(v, int)), label=key)
        for key, kind in template.keys.items()
    }
    path = template.format(data_id)
    assert template.parse(path) == data_id
    assert template.format(template.parse(path)) == path


@given(st.text(max_size=30))
def test_any_path_parses_or_not_but_what_parses_is_right(path):
    template = Template("a/%(filter)s-%(visit)03d.fits")
    data_id = template.parse(path)
    assert data_id is None or template.format(data_id) == path


@given(
    st.text(st.sampled_from("./ab\0"), max_size=12), st.sampled_from(["%(x)s", "a/%(x)s/b.fits", "%(x)s/b", "a/%(x)s"])
)
def test_no_value_leaves_the_root(value, text):
    try:
        path = Template(text).format({"x": value})
    except DataIdError:
        return
    depth = 0
    for part in path.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        assert depth >= 0
        assert part != ".."
    assert not path.startswith("/")


@pytest.mark.parametrize("value", ["..", "../..", "a/../../b", "/etc/passwd", "a\0b", ""])
def test_values_that_would_leave_the_root(value):
    kind = DatasetType("calexp", "exposures", template="%(filter)s")
    with pytest.raises(DataIdError, match=r"calexp: .* would leave the repository: "):
        kind.format({"filter": value})


def test_a_value_with_a_folder_in_it_stays_inside():
    template = Template("%(path)s[%(extension)d]")
    path = template.format({"path": "night/one.fits", "extension": 3})
    assert path == "night/one.fits[3]"
    assert template.parse(path) == {"path": "night/one.fits", "extension": 3}


def test_repeated_keys_must_agree():
    template = Template("%(run)d/fpC-%(run)06d.fit")
    assert template.parse("94/fpC-000094.fit") == {"run": 94}
    assert template.parse("94/fpC-000095.fit") is None


def test_a_path_without_the_tail_gives_the_other_keys():
    assert Template("raw-%(visit)d.fits[%(hdu)d]").parse("raw-3.fits") == {"visit": 3}
    assert Template("raw-%(visit)d.fits[2]").parse("raw-3.fits") == {"visit": 3}


def test_types_follow_from_the_conversion():
    template = Template("%(a)d%(b)05i%(c)x%(d).2f%(e)g%(f)s%(g)c%(h)r%(i)o%(j)E")
    kinds = dict(zip("abcdefghij", [int, int, int, float, float, str, str, str, int, float], strict=True))
    assert template.keys == kinds


def test_the_stricter_of_two_types_counts():
    assert Template("%(visit)s/%(visit)07d").keys == {"visit": int}
    assert Template("%(visit)s/%(visit)07d").parse("5/0000005") == {"visit": 5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("%(visit)", r"'%\(visit\)' is not a conversion like %\(visit\)07d"),
        ("%d.fits", r"'%d\.fits' is not a conversion"),
        ("100%.fits", r"'%\.fits' is not a conversion"),
        ("/data/%(visit)d", "the template is an absolute path"),
        ("../%(visit)d", r"the template leaves the repository with '\.\.'"),
    ],
)
def test_templates_that_cannot_be(text, message):
    with pytest.raises(ValueError, match=message):
        Template(text)


def test_missing_keys_are_named():
    kind = DatasetType("calexp", "exposures", template="%(visit)d/%(filter)s-%(ccd)d.fits")
    with pytest.raises(DataIdError, match=r"calexp: the data ID does not have filter, ccd \(given: visit=3\)"):
        kind.format({"visit": 3})


def test_a_value_that_a_conversion_refuses():
    with pytest.raises(DataIdError, match=r"name=ab: %c requires"):
        Template("%(name)c").format({"name": "ab"})


def test_no_template_is_an_error_on_use():
    kind = DatasetType("raw", "exposures", path="x.yaml", line=3)
    assert kind.keys == {}
    assert kind.parse("anything") is None
    with pytest.raises(
        PolicyError, match=r"x\.yaml:3: there is no template for the dataset type 'raw'; set exposures\.raw"
    ):
        kind.format({})


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("a.fits[2]", ("a.fits", "2")),
        ("a.fits", ("a.fits", None)),
        ("a[1]b.fits", ("a[1]b.fits", None)),
        ("a.fits[%(hdu)d]", ("a.fits", "%(hdu)d")),
    ],
)
def test_split_hdu(path, parts):
    assert split_hdu(path) == parts


def test_glob_fills_in_what_is_known():
    template = Template("%(filter)s/[a]-%(visit)05d-%(ccd)d.fits[%(hdu)d]")
    assert template.glob_pattern({"visit": 3}) == "*/[[]a]-00003-*.fits"


@pytest.mark.parametrize("text", ["%(visit)99999999999d", "%(visit)256d", "%(x).999999999999f", "%(s)300s"])
def test_widths_that_no_file_name_has(text):
    with pytest.raises(ValueError, match="is wider than the 255 characters of a file name"):
        Template(text)
