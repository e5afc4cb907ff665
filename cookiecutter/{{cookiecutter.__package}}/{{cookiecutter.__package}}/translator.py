{%- set t = cookiecutter._facts.translator -%}
{%- set visit, chip = cookiecutter.visit_key, cookiecutter.detector_key -%}
{%- set numbered = t.date.kind in ["mjd", "jd"] -%}
{%- set odd_time, odd_date = t.exposure_time.is_odd, t.date.is_odd -%}
{%- set from_noon = t.visit.kind == "nightly" and "longitude" in t.site -%}
"""What the headers of raw frames say."""

import re
from collections.abc import Mapping
from datetime import datetime{{ ", timedelta" if from_noon or t.visit.kind == "date" }}
from typing import Any

from obs.camera.detector import Detector
{%- if odd_time or odd_date %}
from obs.errors import FileFormatError
{%- endif %}
from obs.image.visit_info import VisitInfo
from obs.instrument.card_values import {{ "date_to_mjd, " if numbered }}format_date, {{ "mjd_to_date, " if numbered }}parse_date{{ ", read_number" if numbered or odd_time or (t.visit.kind == "nightly" and not t.visit.pattern) }}
from obs.instrument.header import Header
from obs.instrument.translator import Translator

__all__ = ["{{ cookiecutter.__class }}"]

_IMAGE_TYPES = {
{%- for kind, words in t.image_words.items() %}
{%- if words | length <= 10 %}
    "{{ kind }}": {"{{ words | join('", "') }}"},
{%- else %}
    "{{ kind }}": {
{%- for word in words %}
        "{{ word }}",
{%- endfor %}
    },
{%- endif %}
{%- endfor %}
}
"""Image types, and the words in the header that stand for them; the first type that has one counts."""
{%- if t.visit.kind in ["nightly", "date"] %}

_FIRST_DAY = datetime(1980, 1, 1)
{%- endif %}


class {{ cookiecutter.__class }}(Translator):
    """Reads and writes the headers of raw frames."""

    columns = {
        "{{ visit }}": int,
        "{{ chip }}": {{ cookiecutter._facts.detector_type }},
        "filter": str,
        "field": str,
        "dateObs": str,
        "taiObs": str,
        "expTime": float,
        "dataType": str,
    }
{%- if t.visit.kind in ["nightly", "date"] %}
    simulated_cards = ("SIMVISIT",)
{%- endif %}
    unique = ("{{ visit }}", "{{ chip }}")
    visit = ("{{ visit }}", "filter", "field", "dateObs", "taiObs")
    constants = {
        "time_scale": {{ t.time_scale | tojson }},
{%- if t.detector.kind == "constant" %}
        "{{ chip }}": 0,  # the camera is taken to have one detector
{%- endif %}
{%- if not t.filter %}
        "filter": "none",  # no card names one
{%- endif %}
{%- if t.site %}
        # where the observatory is{{ "" if t.site | length == 3 else "; behind # what is not known, with what is in force" }}
{%- for name, unit in [("longitude", "degrees east"), ("latitude", "degrees north"), ("elevation", "meters")] %}
        {{ ('"%s": %s' | format(name, t.site[name]) if name in t.site else '# "%s": float("nan")' | format(name)) }},  # {{ unit }}
{%- endfor %}
{%- else %}
        # where the observatory is, which is not known; in force:
        # "longitude": float("nan"),  # degrees east
        # "latitude": float("nan"),  # degrees north
        # "elevation": float("nan"),  # meters
{%- endif %}
    }
    translation = {
{%- if not cookiecutter._facts.files %}
        # no raw file has told the keywords; those of many cameras are in force
{%- endif %}
{%- if t.visit.kind == "whole" %}
        "{{ visit }}": {{ t.visit.keyword | tojson }},
{%- endif %}
{%- if t.detector.kind in ["whole", "text"] %}
        "{{ chip }}": {{ t.detector.keyword | tojson }},
{%- endif %}
{%- if t.filter | length == 1 %}
        "filter": ({{ t.filter[0] | tojson }}, {"default": "none"}),
{%- endif %}
        "field": ({{ t.object | tojson }}, {"default": "unknown"}),
{%- if not odd_time %}
        "expTime": ({{ t.exposure_time.keyword | tojson }}, {"unit": "{{ t.exposure_time.unit }}"}),
        "exposure_time": ({{ t.exposure_time.keyword | tojson }}, {"unit": "{{ t.exposure_time.unit }}"}),
{%- endif %}
{%- if not t.pointing.is_known %}
        # no card of the files at hand tells where the telescope points; simulated frames have it here:
{%- endif %}
        "boresight_ra": ({{ t.pointing.ra | tojson }}, {"unit": "{{ t.pointing.ra_unit }}"}),
        "boresight_dec": ({{ t.pointing.dec | tojson }}, {"unit": "deg"}),
{%- if t.airmass %}
        "airmass": {{ t.airmass | tojson }},
{%- else %}
        # "airmass": "AIRMASS",  # not known; NaN is in force
{%- endif %}
    }
    defaults = {"field": "unknown"{{ ', "dateObs": "unknown", "taiObs": "unknown"' if odd_date }}}
{%- if odd_time %}
    translators = {"expTime": "translate_exposure_time"}
{%- endif %}

    def _begin(self, md: Header) -> datetime:
        """Return when the exposure began."""
{%- if t.date.kind == "iso" %}
        return parse_date(str(md[{{ t.date.date | tojson }}]))
{%- elif t.date.kind == "mjd" %}
        return mjd_to_date(read_number(md[{{ t.date.date | tojson }}]))
{%- elif t.date.kind == "jd" %}
        return mjd_to_date(read_number(md[{{ t.date.date | tojson }}]) - 2400000.5)
{%- elif t.date.time %}
        text = f"{md[{{ t.date.date | tojson | replace('"', "'") }}]} {md[{{ t.date.time | tojson | replace('"', "'") }}]}"
        return parse_date(text, {{ (t.date.layout ~ " %H:%M:%S.%f") | tojson }}, {{ (t.date.layout ~ " %H:%M:%S") | tojson }})
{%- else %}
        return parse_date(str(md[{{ t.date.date | tojson }}]), {{ t.date.layout | tojson }})
{%- endif %}
{%- if odd_date %}

    def translate_date_begin(self, md: Header) -> str | None:
        """Return when the exposure began; None where the header has no date that can be, as in the files at hand."""
        try:
            return format_date(self._begin(md))
        except (FileFormatError, KeyError):
            return None
{%- else %}

    def translate_date_begin(self, md: Header) -> str:
        """Return when the exposure began."""
        return format_date(self._begin(md))
{%- endif %}
{%- if odd_time %}

    def translate_exposure_time(self, md: Header) -> float | None:
        """Return the exposure time, seconds; None where {{ t.exposure_time.keyword }} is no number, as in the files at hand."""
        try:
            seconds = read_number(md.get({{ t.exposure_time.keyword | tojson }}))
        except FileFormatError:
            return None
        return seconds if seconds >= 0 else None
{%- endif %}

    def translate_dateObs(self, md: Header) -> str:
        """Return the day on which the exposure began."""
        return self._begin(md).date().isoformat()

    def translate_taiObs(self, md: Header) -> str:
        """Return when the exposure began."""
        return format_date(self._begin(md))
{%- if t.visit.kind == "digits" %}

    def translate_{{ visit }}(self, md: Header) -> int:
        """Return the number at the end of {{ t.visit.keyword }}."""
        match = re.search(r"(\d+)$", str(md[{{ t.visit.keyword | tojson }}]))
        if match is None:
            raise ValueError(f"{{ t.visit.keyword }} = {md[{{ t.visit.keyword | tojson | replace('"', "'") }}]} has no number at its end")
        return int(match[1])
{%- elif t.visit.kind == "nightly" %}

    def translate_{{ visit }}(self, md: Header) -> int:
        """Return day and number, since the number may start again each night; a simulated frame says it."""
        if "SIMVISIT" in md:
            return int(md["SIMVISIT"])
{%- if t.visit.pattern %}
        numbers = re.findall(r"{{ t.visit.pattern }}", str(md[{{ t.visit.keyword | tojson }}]))
        if not numbers:
            raise ValueError(f"{{ t.visit.keyword }} = {md[{{ t.visit.keyword | tojson | replace('"', "'") }}]} has no number in it")
        number = int(numbers[-1])
{%- else %}
        number = int(read_number(md[{{ t.visit.keyword | tojson }}]))
{%- endif %}
{%- if from_noon %}
        # a night has one day, from noon to noon where the observatory is
        noon = _FIRST_DAY + timedelta(hours=12 - self.constants["longitude"] / 15)
        return (self._begin(md) - noon).days * 10_000 + number
{%- else %}
        return (self._begin(md) - _FIRST_DAY).days * 10_000 + number
{%- endif %}
{%- elif t.visit.kind == "date" %}

    def translate_{{ visit }}(self, md: Header) -> int:
        """Return the {{ "milliseconds" if t.visit.get("per_second", 1) == 1000 else "seconds" }} since 1980: no card numbers the exposures. A simulated frame says its number."""
        if "SIMVISIT" in md:
            return int(md["SIMVISIT"])
        return (self._begin(md) - _FIRST_DAY) // timedelta({{ "milliseconds" if t.visit.get("per_second", 1) == 1000 else "seconds" }}=1)
{%- endif %}
{%- if t.detector.kind == "digits" %}

    def translate_{{ chip }}(self, md: Header) -> int:
        """Return the number at the end of {{ t.detector.keyword }}."""
        match = re.search(r"(\d+)$", str(md[{{ t.detector.keyword | tojson }}]))
        if match is None:
            raise ValueError(f"{{ t.detector.keyword }} = {md[{{ t.detector.keyword | tojson | replace('"', "'") }}]} has no number at its end")
        return int(match[1])
{%- endif %}
{%- if t.detector.kind == "words" %}

    def translate_{{ chip }}(self, md: Header) -> str:
        """Return the letters and digits of {{ t.detector.keyword }}."""
        return re.sub(r"[^A-Za-z0-9]+", "_", str(md[{{ t.detector.keyword | tojson }}])).strip("_")
{%- endif %}
{%- if t.detector.kind == "grouped" %}

    def translate_{{ chip }}(self, md: Header) -> int:
        """Return the detector whose amplifiers {{ t.detector.keyword }} counts: {{ t.detector.size }} each, from {{ t.detector.first }}."""
        return (int(md[{{ t.detector.keyword | tojson }}]) - {{ t.detector.first }}) // {{ t.detector.size }}
{%- endif %}
{%- if t.filter | length > 1 %}

    def translate_filter(self, md: Header) -> str:
        """Return what is in the wheels that are not open."""
        names = [str(md.get(wheel, "")).strip() for wheel in _WHEELS]
        return "+".join(dict.fromkeys(name for name in names if not _is_open(name))) or "open"
{%- endif %}

    def translate_dataType(self, md: Header) -> str:
        """Return what the frame is for."""
        text = re.sub(r"[^a-z]+", " ", str(md.get({{ t.image_type | tojson }}, "")).lower())
        words = {*text.split(), text.replace(" ", "")}
{%- if t.image_type == t.object %}
        # the card names what was observed: what is no calibration is a target
        other = "science" if text.strip() else "unknown"
        return next((kind for kind, known in _IMAGE_TYPES.items() if words & known), other)
{%- else %}
        return next((kind for kind, known in _IMAGE_TYPES.items() if words & known), "unknown")
{%- endif %}

    @classmethod
    def make_header(
        cls,
        data_id: Mapping[str, Any],
        *,
        visit_info: VisitInfo,
        detector: Detector,
        physical_filter: str,
        image_type: str,
    ) -> dict[str, Any]:
        """Return the header of a simulated frame; see `Translator.make_header`."""
        keys = {"{{ visit }}": visit_info.exposure_id, "{{ chip }}": detector.{{ "id" if cookiecutter._facts.detector_type == "int" else "name" }}, **data_id}
        cards = super().make_header(
            keys, visit_info=visit_info, detector=detector, physical_filter=physical_filter, image_type=image_type
        )
        begin = parse_date(visit_info.date_begin)
{%- if odd_time %}
        cards[{{ t.exposure_time.keyword | tojson }}] = visit_info.exposure_time
{%- endif %}
{%- if t.date.kind == "iso" %}
        cards[{{ t.date.date | tojson }}] = format_date(begin)
{%- elif t.date.kind == "mjd" %}
        cards[{{ t.date.date | tojson }}] = date_to_mjd(begin)
{%- elif t.date.kind == "jd" %}
        cards[{{ t.date.date | tojson }}] = date_to_mjd(begin) + 2400000.5
{%- else %}
        cards[{{ t.date.date | tojson }}] = begin.strftime({{ t.date.layout | tojson }})
{%- if t.date.time %}
        cards[{{ t.date.time | tojson }}] = begin.strftime("%H:%M:%S.%f")
{%- endif %}
{%- endif %}
{%- if t.visit.kind == "digits" %}
        cards[{{ t.visit.keyword | tojson }}] = f"SIM{int(keys['{{ visit }}']):07d}"
{%- elif t.visit.kind in ["nightly", "date"] %}
        cards["SIMVISIT"] = int(keys["{{ visit }}"])
{%- endif %}
{%- if t.detector.kind == "digits" %}
        cards[{{ t.detector.keyword | tojson }}] = f"ccd{detector.id:02d}"
{%- endif %}
{%- if t.detector.kind == "words" %}
        cards[{{ t.detector.keyword | tojson }}] = detector.name
{%- endif %}
{%- if t.detector.kind == "grouped" %}
        cards[{{ t.detector.keyword | tojson }}] = detector.id * {{ t.detector.size }} + {{ t.detector.first }}
{%- endif %}
{%- if t.filter | length > 1 %}
        cards[_WHEELS[0]] = physical_filter
{%- endif %}
{%- if t.image_type != t.object %}
        cards[{{ t.image_type | tojson }}] = image_type.upper()
{%- else %}
        if image_type != "science":
            cards[{{ t.image_type | tojson }}] = image_type.upper()
{%- endif %}
        return cards
{%- if t.filter | length > 1 %}


_WHEELS = ({% for name in t.filter %}{{ name | tojson }}{{ "," if loop.length == 1 else "" if loop.last else ", " }}{% endfor %})
"""Cards that name what is in each filter wheel."""

_OPEN = ("{{ t.open_starts | join('", "') }}")
"""How the word begins by which a wheel says that it holds nothing."""


def _is_open(name: str) -> bool:
    """Return whether a wheel holds nothing."""
    word = re.sub(r"^\s*[a-z]?\d{1,2}[\s:.)-]+(?=[a-z])", "", name.lower())  # the place in the wheel
    word = re.sub(r"[^a-z0-9]", "", word)
    return word in ("", "no", "out", "0") or word.startswith(_OPEN) or word.endswith("out")
{%- endif %}
