import inspect
import pickle

import pytest

from obs import errors
from obs.errors import (
    ColumnError,
    ConfigError,
    DataIdError,
    DatasetNotFoundError,
    FileFormatError,
    MeasurementError,
    NoReaderError,
    ObsError,
    OutputError,
    PluginError,
    PolicyError,
    RepositoryError,
    describe_fault,
    place,
    suggest,
)
from obs.url_secrets import hide_passwords

EXAMPLES = [
    PolicyError("no template", path="a.yaml", line=3, key="raw"),
    DataIdError("no key 'vist'", data_id={"vist": 1}, key="vist"),
    ConfigError("must be positive", field="isr.gain", path="b.yaml", line=7),
    RepositoryError("no repository", path="somewhere"),
    DatasetNotFoundError("no raw", dataset_type="raw", data_id={"visit": 1}, paths=["x", "y"]),
    FileFormatError("truncated", path="c.fits"),
    NoReaderError("no reader for a dataset of class X", path="d.bin"),
    PluginError("broken", plugin="toy"),
    OutputError("read-only", path="out"),
    MeasurementError("no stars"),
    ColumnError("no column 'flux'; there are id", column="flux", path="src.fits"),
]
BUILT_IN = {
    PolicyError: ValueError,
    DataIdError: ValueError,
    ConfigError: ValueError,
    RepositoryError: OSError,
    DatasetNotFoundError: LookupError,
    FileFormatError: ValueError,
    NoReaderError: ValueError,
    PluginError: ImportError,
    OutputError: OSError,
    MeasurementError: RuntimeError,
    ColumnError: KeyError,
}


def test_every_error_has_an_example():
    classes = {value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)}
    assert {type(error) for error in EXAMPLES} == classes - {ObsError} == set(BUILT_IN)
    assert set(errors.__all__) == {cls.__name__ for cls in classes} | {"describe_fault", "place", "suggest"}


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_is_ours_and_its_built_in(error):
    assert isinstance(error, ObsError)
    assert isinstance(error, BUILT_IN[type(error)])
    assert "\n" not in str(error)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_crosses_processes_with_its_facts(error):
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_errors_carry_their_facts():
    policy, data_id, config, repository, dataset, file, _, plugin, output, _, column = EXAMPLES
    assert (policy.path, policy.line, policy.key) == ("a.yaml", 3, "raw")
    assert (data_id.data_id, data_id.key) == ({"vist": 1}, "vist")
    assert (config.field, config.path, config.line) == ("isr.gain", "b.yaml", 7)
    assert (dataset.dataset_type, dataset.data_id, dataset.paths) == ("raw", {"visit": 1}, ("x", "y"))
    assert (repository.path, file.path, plugin.plugin, output.path) == ("somewhere", "c.fits", "toy", "out")
    assert (column.column, column.path, str(column)) == ("flux", "src.fits", "src.fits: no column 'flux'; there are id")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot reach pg://me:p@ss/w:rd@host:5432/db", "cannot reach pg://me:***@host:5432/db"),
        ("http://host:80/tap?a=1&password=x&b=2", "http://host:80/tap?a=1&password=***&b=2"),
        ("no registry pg:/me:secret@host", "no registry pg:/me:***@host"),
        ("http://[::1]:80/tap and me@home", "http://[::1]:80/tap and me@home"),
        ("http://me@host:80/tap: a=b", "http://me@host:80/tap: a=b"),
    ],
)
def test_passwords_in_urls_are_hidden(text, shown):
    assert str(OutputError(text)) == shown
    assert describe_fault(ValueError(text)).endswith(shown)
    assert hide_passwords(shown) == shown


def test_messages_begin_with_the_place():
    assert str(EXAMPLES[0]) == "a.yaml:3: raw: no template"
    assert str(EXAMPLES[2]) == "b.yaml:7: must be positive"
    assert str(EXAMPLES[5]) == "c.fits: truncated"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((None,), ""),
        (("f.yaml",), "f.yaml: "),
        (("f.yaml", 4), "f.yaml:4: "),
        (("f.yaml", 4, "key"), "f.yaml:4: key: "),
        ((None, 4, "key"), "key: "),
    ],
)
def test_place_names_what_is_known(arguments, expected):
    assert place(*arguments) == expected


def test_the_nearest_word_is_suggested():
    assert suggest("vist", ["ccd", "visit", "filter"]) == "; did you mean 'visit'?"
    assert suggest("zzz", ["ccd", "visit"]) == ""
    assert suggest("SEEING", ["sky", "seeing"]) == "; did you mean 'seeing'?"
    assert suggest("visit", iter([])) == ""
