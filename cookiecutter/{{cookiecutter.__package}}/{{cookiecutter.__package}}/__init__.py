"""{{ cookiecutter.title | replace('"', "'") | replace('\\', '/') }}."""

from pathlib import Path

from obs.instrument.instrument import FilterDefinition, Instrument

__all__ = ["instrument"]

instrument = Instrument(
    "{{ cookiecutter.camera }}",
    folder=Path(__file__).parent,
    policy="policy/{{ cookiecutter.camera }}.yaml",
    # Name in the headers, and band as in reference catalogs; effective_wavelength= in nm places it in a spectrum.
    filters=(
{%- for filter in cookiecutter._facts.filters %}
        FilterDefinition(physical_filter={{ filter.physical_filter | tojson }}, band={{ filter.band | tojson }}),
{%- else %}
{%- for name in cookiecutter.filters.split("," if "," in cookiecutter.filters else none) | map("trim") | select %}
        FilterDefinition(physical_filter={{ name | tojson }}, band={{ name | tojson }}),
{%- endfor %}
{%- endfor %}
    ),
    exposure_id="{{ cookiecutter.__package }}.exposure_id:exposure_id",
    exposure_id_bits={{ cookiecutter._room.bits }},
    detector="%({{ cookiecutter.detector_key }}){{ "d" if cookiecutter._facts.detector_type == "int" else "s" }}",
    translator="{{ cookiecutter.__package }}.translator:{{ cookiecutter.__class }}",
)
