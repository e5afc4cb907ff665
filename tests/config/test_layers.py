"""Settings in layers: what wins, where it came from, and what is said about a mistake."""

import re
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import model_validator

from obs.config.base import TaskConfig, setting
from obs.config.layers import ConfigLayers
from obs.config.schema import describe_type, dump_yaml
from obs.errors import ConfigError
from obs.tasks.process_config import ProcessConfig


class BackgroundConfig(TaskConfig):
    """Background."""

    bin_size: int = setting(128, "Size of a mesh cell.", unit="pixel", ge=8, le=4096)
    algorithm: Literal["spline", "mean"] = setting("spline", "How cells are joined.")
    clip: float = setting(3.0, "Clipping threshold.", unit="sigma", gt=0)


class IsrConfig(TaskConfig):
    """Instrument signature removal."""

    do_bias: bool = setting(True, "Subtract the bias.")
    do_flat: bool = setting(True, "Divide by the flat.")
    apply_gains: bool = setting(False, "Multiply with the gains.")

    @model_validator(mode="after")
    def _check(self):
        if self.do_flat and self.apply_gains:
            raise ValueError("do_flat and apply_gains exclude each other")
        return self


class CharacterizeConfig(TaskConfig):
    """Characterization."""

    background: BackgroundConfig = setting(BackgroundConfig(), "Background.")
    apertures: tuple[float, ...] = setting((3.0, 6.0), "Radii.", unit="pixel", min_length=1)


class ExampleConfig(TaskConfig):
    """Everything."""

    isr: IsrConfig = setting(IsrConfig(), "ISR.")
    characterize: CharacterizeConfig = setting(CharacterizeConfig(), "Characterize.")
    ref_cat: str | None = setting(None, "Name of the reference catalog.")
    color_terms: dict[str, float] = setting({"g": 0.5}, "Color term of each filter.")


ALIASES = {"isr.doBias": "isr.do_bias", "charImage.background.binSize": "characterize.background.bin_size"}


@pytest.fixture
def layers():
    return ConfigLayers(ExampleConfig, ALIASES)


def write(folder, text, name="process.yaml"):
    path = folder / name
    path.write_text(text)
    return path


def test_defaults(layers):
    assert layers.build() == ExampleConfig()


def test_later_layers_win_left_to_right(layers, tmp_path):
    layers.load(write(tmp_path, "characterize:\n  background:\n    bin_size: 256\n    clip: 2.5\n"))
    layers.set("characterize.background.bin_size=64")
    layers.load(write(tmp_path, "characterize.background: {bin_size: 32}\n", "second.yaml"))
    config = layers.build()
    assert config.characterize.background.bin_size == 32
    assert config.characterize.background.clip == 2.5


def test_history_names_every_origin(layers, tmp_path):
    path = write(tmp_path, "charImage:\n  background:\n    binSize: 256\n")
    layers.load(path)
    layers.set("characterize.background.bin_size=64")
    assert layers.history("*bin_size") == (
        "characterize.background.bin_size\n"
        "  128  default\n"
        f"  256  {path}:3 (written charImage.background.binSize)\n"
        "  64   -c characterize.background.bin_size=64\n"
    )


@pytest.mark.parametrize(
    "pattern", ["*binsize*", "characterize.BACKGROUND.b*", "config.characterize.background.bin_size"]
)
def test_show_matches_any_case_and_both_spellings(layers, pattern):
    assert layers.show(pattern) == (
        "# Size of a mesh cell. [pixel] (a whole number >= 8 and <= 4096)\ncharacterize.background.bin_size=128\n"
    )


def test_show_without_match(layers):
    with pytest.raises(ConfigError, match=r"^no setting matches 'isr\.do_bia'; did you mean 'isr\.do_bias'\?$"):
        layers.show("isr.do_bia")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("isr.do_bias=False", False), ("isr.do_bias=false", False), ("isr.doBias=0", False), ("isr.do_bias = True", True)],
)
def test_bool_values(layers, text, expected):
    layers.set(text)
    assert layers.build().isr.do_bias is expected


@pytest.mark.parametrize("text", ["1228", "12:30", "2020-01-01", "ps1_pv3", "a=b", "True"])
def test_a_text_field_takes_the_text_as_typed(layers, text):
    layers.set(f"ref_cat={text}")
    assert layers.build().ref_cat == text


def test_none_and_lists_and_mappings(layers):
    layers.set("ref_cat=None")
    layers.set("characterize.apertures=[3, 4.5, 1e1]")
    layers.set("color_terms.r=0.25")
    config = layers.build()
    assert config.ref_cat is None
    assert config.characterize.apertures == (3.0, 4.5, 10.0)
    assert config.color_terms == {"g": 0.5, "r": 0.25}


def test_a_rule_over_several_fields_is_checked_at_the_end(layers):
    layers.set("isr.apply_gains=True")
    layers.set("isr.do_flat=False")
    assert layers.build().isr.apply_gains


def test_a_broken_rule(layers):
    layers.set("isr.apply_gains=True")
    with pytest.raises(ConfigError, match=r"^isr: do_flat and apply_gains exclude each other \(set by -c isr"):
        layers.build()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "isr.do_bais=1",
            r"^isr\.do_bais: there is no such setting; did you mean 'isr\.do_bias'\? \(set by -c isr",
        ),
        ("isr.doBiass=1", r"^isr\.doBiass: there is no such setting; did you mean 'isr\.doBias'\?"),
        ("bin_size=1", r"^bin_size: there is no such setting; did you mean 'characterize\.background\.bin_size'\?"),
        ("isr.qqqq=1", r"^isr\.qqqq: there is no such setting; isr has do_bias, do_flat, apply_gains "),
        ("qqqq=1", r"^qqqq: there is no such setting; the configuration has isr, characterize, ref_cat, color_terms "),
        ("isr.do_bias.x=1", r"^isr\.do_bias\.x: there is no such setting"),
        ("isr=1", r"^isr: is a section; set its parts by name"),
        ("isr.do_bias", r"^cannot read '-c isr\.do_bias'; write it as -c name=value$"),
        ("=3", r"^cannot read '-c =3'"),
    ],
)
def test_settings_that_do_not_exist(layers, text, message):
    with pytest.raises(ConfigError, match=message):
        layers.set(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("isr.do_bias=maybe", r"^isr\.do_bias: expected true or false, got 'maybe' \(set by -c isr\.do_bias=maybe\)$"),
        (
            "charImage.background.binSize=4",
            r"^characterize\.background\.bin_size \(written charImage\.background\.binSize\): "
            r"expected a whole number >= 8 and <= 4096, got 4 \(set by",
        ),
        ("characterize.background.bin_size=12.5", "expected a whole number >= 8 and <= 4096, got 12.5"),
        ("characterize.background.algorithm=cubic", "expected one of 'spline', 'mean', got 'cubic'"),
        ("characterize.background.clip=0", "expected a number > 0, got 0"),
        ("characterize.apertures=[]", r"expected a list of numbers with at least 1 items, got \[\]"),
        ("characterize.apertures=[1, x]", r"expected a list of numbers with at least 1 items, got \[1, 'x'\]"),
        ("color_terms.r=x", r"^color_terms\.r: .*valid number.*, got 'x'"),
        ("color_terms.r.s=1", r"^color_terms\.r\.s: .*valid number"),
        ("color_terms.g.s=1", r"^color_terms\.g\.s: 'g' holds 0\.5 \(set by"),
    ],
)
def test_values_that_do_not_fit(layers, text, message):
    layers.set(text)
    with pytest.raises(ConfigError, match=message):
        layers.build()


def test_a_list_of_choices_is_described_by_them():
    class Warps(TaskConfig):
        """Settings."""

        warps: list[Literal["direct", "psfMatched"]] = setting([], "What is kept.")

    assert describe_type(Warps.model_fields["warps"]) == "a list of 'direct', 'psfMatched'"


def test_messages_name_file_and_line(layers, tmp_path):
    path = write(tmp_path, "isr:\n  do_bias: true\ncharacterize:\n  background:\n    bin_size: 3\n")
    layers.load(path)
    with pytest.raises(
        ConfigError, match=r"process\.yaml:5: characterize\.background\.bin_size: expected .*, got 3$"
    ) as caught:
        layers.build()
    assert (caught.value.field, caught.value.path, caught.value.line) == ("characterize.background.bin_size", path, 5)
    with pytest.raises(
        ConfigError, match=r"bad\.yaml:2: isr\.do_bais: there is no such setting; did you mean 'isr\.do_bias'"
    ):
        layers.load(write(tmp_path, "isr:\n  do_bais: 1\n", "bad.yaml"))


def test_an_empty_section_or_file_sets_nothing(layers, tmp_path):
    layers.load(write(tmp_path, "isr:\n"))
    layers.load(write(tmp_path, "# nothing\n", "empty.yaml"))
    assert layers.build() == ExampleConfig()


def test_a_file_that_is_no_mapping(layers, tmp_path):
    with pytest.raises(ConfigError, match=r"process\.yaml:1: expected 'name: value' lines"):
        layers.load(write(tmp_path, "- 1\n"))


def test_an_alias_needs_a_setting():
    with pytest.raises(ValueError, match=r"ExampleConfig has no settings with the names of these aliases: isr\.no$"):
        ConfigLayers(ExampleConfig, {"isr.doNo": "isr.no"})


def test_every_field_needs_a_description():
    with pytest.raises(TypeError, match="BareConfig: no description for width"):
        type("BareConfig", (TaskConfig,), {"__annotations__": {"width": int}, "width": 3, "__module__": __name__})


configs = st.builds(
    ExampleConfig,
    isr=st.builds(IsrConfig, do_bias=st.booleans(), do_flat=st.booleans()),
    characterize=st.builds(
        CharacterizeConfig,
        background=st.builds(
            BackgroundConfig,
            bin_size=st.integers(8, 4096),
            algorithm=st.sampled_from(["spline", "mean"]),
            clip=st.floats(min_value=0, exclude_min=True),
        ),
        apertures=st.lists(st.floats(allow_nan=False), min_size=1).map(tuple),
    ),
    ref_cat=st.none() | st.text(),
    color_terms=st.dictionaries(st.text(), st.floats(allow_nan=False)),
)


@given(configs)
def test_dump_and_load_return_the_same(tmp_path_factory, config):
    path = write(tmp_path_factory.mktemp("dump"), dump_yaml(config))
    layers = ConfigLayers(ExampleConfig)
    layers.load(path)
    assert layers.build() == config


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("isr.saturation=-5", "a number > 0 or none"),
        ("characterize.psf.degree=-1", "a whole number >= 0 or none"),
        ("characterize.psf.sampling=0", "> 0"),
        ("calibrate.measurement.apertures=[3.0, -2.0]", "a list of numbers > 0"),
        ("calibrate.measurement.apertures=[.nan]", "a list of numbers > 0"),
        ("calibrat.x=1", "there is no such setting; did you mean 'calibrate'"),
        ("characterize.apertures=[3]", "did you mean 'characterize.measurement.apertures'"),
    ],
)
def test_settings_that_make_no_sense(text, found):
    with pytest.raises(ConfigError, match=re.escape(found)):
        _process_config(text)


def _process_config(text):
    layers = ConfigLayers(ProcessConfig)
    layers.set(text)
    return layers.build()
