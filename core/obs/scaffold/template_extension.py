"""Filters of the project template: tables of a camera from its answers.

The template names this class in ``cookiecutter.json``, so that the program cookiecutter finds it, too.
"""

from jinja2 import Environment
from jinja2.ext import Extension

from obs.scaffold.described_camera import amplifier_rows, count_detectors, detector_rows, detector_size

__all__ = ["DescribedCamera"]


class DescribedCamera(Extension):
    """Adds the filters ``detector_rows``, ``amplifier_rows``, ``detector_count`` and ``detector_size`` of answers."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.filters |= {
            "amplifier_rows": amplifier_rows,
            "detector_count": count_detectors,
            "detector_rows": detector_rows,
            "detector_size": detector_size,
        }
