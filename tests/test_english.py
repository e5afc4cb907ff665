"""The texts of the product: each is understood alone, and follows the style of the guide."""

import pytest

from obs.config.schema import iterate_fields
from obs.ingest.reference_columns import ReferenceColumnsConfig
from obs.simulator.config import SimulateConfig
from obs.tasks.combine_calibs import CalibsConfig
from obs.tasks.process_config import ProcessConfig, ProcessFileConfig

CONFIGS = (ProcessConfig, ProcessFileConfig, CalibsConfig, SimulateConfig, ReferenceColumnsConfig)
POINTERS = ("The same for", "That of", "Those of", "See ", "Whose", "Its ", "Their ")
"""Beginnings of descriptions that need another one to be understood."""


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)
def test_each_setting_is_understood_alone(config):
    described = {name: field.description or "" for name, field in iterate_fields(config)}
    short = {name: text for name, text in described.items() if len(text.split()) < 5}
    sections = {name.rpartition(".")[0] for name in described}
    assert {name: text for name, text in short.items() if name not in sections} == {}
    assert {name: text for name, text in described.items() if text.startswith(POINTERS)} == {}
