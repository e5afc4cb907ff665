"""The camera holds to what obs asks of every camera; see `obs.testing`."""

from obs.testing import CameraContract


class Test{{ cookiecutter.__class.removesuffix("Translator") }}(CameraContract):
    camera = "{{ cookiecutter.camera }}"
{%- if cookiecutter._facts.headers %}
    headers = "tests/headers.json"
{%- else %}
    # headers = "tests/headers.json"  # no header of a real frame is known: {"file": ..., "cards": ..., "expected": ...}
{%- endif %}
