{%- set t = cookiecutter._facts.translator -%}
{%- set visit, chip = cookiecutter.visit_key, cookiecutter.detector_key -%}
{%- set given = cookiecutter.site.replace(",", " ").split() -%}
{%- set site = {"longitude": given[0], "latitude": given[1], "elevation": given[2]} if given else t.site -%}
{%- set from_noon = t.visit.kind == "nightly" and "longitude" in site -%}
{%- set made_of_date = t.visit.kind in ["nightly", "date"] -%}
{%- set made_of_text = t.visit.kind == "digits" or t.detector.kind in ["digits", "words", "joined", "grouped", "file", "letters"] or t.visit.get("pattern") -%}
{%- set only_none = cookiecutter._facts.filters | map(attribute="physical_filter") | list == ["none"] -%}
{%- set colors = t.detector.kind == "color" -%}
{%- set unnamed = t.pointing_known == false -%}
{%- macro options(given) %}{% for name, value in given.items() %}, {{ name }}={{ "True" if value is sameas true else value | tojson }}{% endfor %}{% endmacro -%}
{%- macro cards(names) %}({% for name in names %}{{ name | tojson }}{{ "," if names | length == 1 else "" if loop.last else ", " }}{% endfor %}){% endmacro -%}
"""What the headers of raw frames say."""

{% if made_of_text -%}
import re
{% endif -%}
from collections.abc import Mapping
{% if made_of_date -%}
from datetime import datetime{{ ", timedelta" if from_noon or t.visit.kind == "date" }}
{% endif -%}
from typing import Any

from obs.camera.detector import Detector
from obs.image.visit_info import VisitInfo
{% if t.get("amplifier_files") -%}
from obs.instrument.amplifier_files import AmplifierFiles
{% endif -%}
from obs.instrument.card_values import format_date{{ ", read_number" if t.visit.kind == "nightly" and not t.visit.pattern }}
from obs.instrument.date_rules import DateRule
from obs.instrument.header import Header
from obs.instrument.pointing_rules import PointingRule
from obs.instrument.rule_translator import {{ "SIMULATED_COLOR, " if colors }}RuleTranslator

__all__ = ["{{ cookiecutter.__class }}"]
{%- if made_of_date %}

_FIRST_DAY = datetime(1980, 1, 1)
{%- endif %}


class {{ cookiecutter.__class }}(RuleTranslator):
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
{%- set simulated = (["SIMVISIT"] if made_of_date else []) + (["SIMCOLOR"] if colors else []) %}
{%- if simulated %}
    simulated_cards = {{ cards(simulated) }}
{%- endif %}
{%- if colors %}
    colors = ("R", "G", "B")  # of the pixels' mosaic; each is a detector
{%- endif %}
    unique = ("{{ visit }}", "{{ chip }}")
    visit = ("{{ visit }}", {% if not colors %}"filter", {% endif %}"field", "dateObs", "taiObs")
{%- if t.get("amplifier_files") %}
{%- set a = t.amplifier_files %}
    # a file holds one amplifier of its detector; obs ingest puts them together, in this order
    amplifier_files = AmplifierFiles({{ a.keyword | tojson }}, {{ cards(a.names) }}{{ ", part=%d" | format(a.part) if a.part }})
{%- endif %}
{%- if t.get("planes") %}
    planes = {{ t.planes | tojson }}  # of cubes: an exposure 'each', parts of one ('mean'), or computed 'colors'
{%- endif %}
{%- if t.get("known_by") %}
    # a file in which one of these cards has another value is of another camera, or binned otherwise
    known_by = { {%- for name, values in t.known_by.items() %}{{ name | tojson }}: {{ cards(values) }}{{ ", " if not loop.last }}{% endfor -%} }
{%- endif %}
    constants = {
        "time_scale": {{ t.time_scale | tojson }},
{%- if t.detector.kind == "constant" %}
        "{{ chip }}": 0,  # the camera is taken to have one detector
{%- endif %}
{%- if site %}
        # where the observatory is{{ "" if site | length == 3 else "; behind # what is not known, with what is in force" }}
{%- for name, unit in [("longitude", "degrees east"), ("latitude", "degrees north"), ("elevation", "meters")] %}
        {{ ('"%s": %s' | format(name, site[name]) if name in site else '# "%s": float("nan")' | format(name)) }},  # {{ unit }}
{%- endfor %}
{%- else %}
        # where the observatory is, which is not known; in force:
        # "longitude": float("nan"),  # degrees east
        # "latitude": float("nan"),  # degrees north
        # "elevation": float("nan"),  # meters
{%- endif %}
    }
    # Each list below is tried from its begin until a card holds a value that can be.
{%- if not cookiecutter._facts.files %}
    # No raw file has told the keywords; those of many cameras are in force.
{%- endif %}
    dates = (
{%- for rule in t.dates %}
        DateRule({{ rule.date | tojson }}{{ options(rule.options) }}),
{%- endfor %}
    )
{%- if unnamed %}
    # no card of the files at hand tells where the telescope points; simulated frames have it here:
{%- endif %}
    pointings = (
{%- for rule in t.pointings %}
        PointingRule({{ rule.ra | tojson }}, {{ rule.dec | tojson }}{{ options(rule.options) }}),
{%- endfor %}
    )
    # of several wheels, one card for each
    filter_cards = ({% for names in t.filter %}{{ cards(names) }}{{ "," if t.filter | length == 1 else "" if loop.last else ", " }}{% endfor %})
    image_type_cards = {{ cards(t.image_type) }}
    target_card = {{ t.object[0] | tojson }}
    translation = {
{%- if t.visit.kind == "whole" %}
        "{{ visit }}": {{ t.visit.keyword | tojson }},
{%- endif %}
{%- if t.detector.kind in ["whole", "text"] %}
        "{{ chip }}": {{ t.detector.keyword | tojson }},
{%- endif %}
        "field": [
{%- for name in t.object %}
            {{ name | tojson }},
{%- endfor %}
        ],
{%- for column in ["expTime", "exposure_time"] %}
        "{{ column }}": [
{%- for rule in t.exposure_time %}
            ({{ rule.keyword | tojson }}, {"unit": {{ rule.unit | tojson }}{{ ', "times": "%s"' | format(rule.times) if rule.times }}{{ ', "by_comment": True' if rule.get("by_comment") }}}),
{%- endfor %}
        ],
{%- endfor %}
{%- if t.airmass %}
        "airmass": [
{%- for name in t.airmass %}
            {{ name | tojson }},
{%- endfor %}
        ],
{%- else %}
        # "airmass": "AIRMASS",  # not known; NaN is in force
{%- endif %}
    }
    defaults = {"field": "unknown"{{ ', "dateObs": "unknown", "taiObs": "unknown"' if not t.date_known }}}

    def translate_dateObs(self, md: Header) -> str:
        """Return the day on which the exposure began."""
        return self.begin(md).date().isoformat()

    def translate_taiObs(self, md: Header) -> str:
        """Return when the exposure began."""
        return format_date(self.begin(md))
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
        return (self.begin(md) - noon).days * 10_000 + number
{%- else %}
        return (self.begin(md) - _FIRST_DAY).days * 10_000 + number
{%- endif %}
{%- elif t.visit.kind == "date" %}

    def translate_{{ visit }}(self, md: Header) -> int:
        """Return the {{ "milliseconds" if t.visit.get("per_second", 1) == 1000 else "seconds" }} since 1980: no card numbers the exposures. A simulated frame says its number."""
        if "SIMVISIT" in md:
            return int(md["SIMVISIT"])
        return (self.begin(md) - _FIRST_DAY) // timedelta({{ "milliseconds" if t.visit.get("per_second", 1) == 1000 else "seconds" }}=1)
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
        return (int(re.sub(r"\D", "", str(md[{{ t.detector.keyword | tojson }}]))) - {{ t.detector.first }}) // {{ t.detector.size }}
{%- endif %}
{%- if t.detector.kind in ["file", "letters"] %}

    def translate_{{ chip }}(self, md: Header) -> str:
        """Return the part of the name of the file that names the detector; a simulated frame says it."""
        if "SIMCCD" in md:
            return str(md["SIMCCD"])
        return {{ 're.split(r"[^A-Za-z0-9]+"' if t.detector.kind == "file" else 're.findall(r"[A-Za-z]+|[0-9]+"' }}, str(md["(file)"]))[{{ t.detector.first }}]
{%- endif %}
{%- if colors %}

    def translate_{{ chip }}(self, md: Header) -> str:
        """Return the color of the mosaic."""
        return self.find_color(md)
{%- endif %}
{%- if t.detector.kind == "joined" %}

    def translate_{{ chip }}(self, md: Header) -> str:
        """Return the name of the detector: {{ t.detector.keyword.split("+") | join(" and ") }} together."""
        parts = [re.sub(r"[^A-Za-z0-9]+", "", str(md[card])) for card in {{ cards(t.detector.keyword.split("+")) }}]
        return "_".join(part for part in parts if part)
{%- endif %}

    def translate_filter(self, md: Header) -> str:
        """Return what is in the filter wheels, as the header has it{{ "; before the mosaic, its color" if colors }}."""
{%- if colors %}
        return self.find_color_filter(md)
{%- else %}
        {{ "name = self.find_filter(md)" if only_none else "return self.find_filter(md)" }}
{%- if only_none %}
        return "none" if name == "unknown" else name  # in the files at hand, no card has a name
{%- endif %}
{%- endif %}

    def translate_dataType(self, md: Header) -> str | None:
        """Return what the frame is for."""
{%- if t.image_type[0] == t.object[0] %}
        # the card names what was observed: what is not a calibration is a target
        found = self.find_image_type(md)
        return "science" if found in (None, "unknown") and str(md.get(self.target_card, "")).strip() else found
{%- elif t.get("named_types") %}
        # calibrations that the card calls science are what their target is called, as the pixels of the files at hand show
        return self.find_image_type(md) or self.find_named_type(md)
{%- elif t.get("sky_flats") %}
        # frames that the header calls sky are sky flats, as the pixels of the files at hand show
        found = self.find_image_type(md)
        return "flat" if found == "sky" else found
{%- elif t.get("untyped") %}
        # frames of which nothing says the type are science exposures, as in the files at hand
        found = self.find_image_type(md)
        return "science" if found == "unknown" else found
{%- else %}
        return self.find_image_type(md)
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
{%- if t.visit.kind == "digits" %}
        cards[{{ t.visit.keyword | tojson }}] = f"SIM{int(keys['{{ visit }}']):07d}"
{%- elif t.visit.kind in ["nightly", "date"] %}
        cards["SIMVISIT"] = int(keys["{{ visit }}"])
{%- endif %}
{%- if t.detector.kind == "digits" %}
        cards[{{ t.detector.keyword | tojson }}] = f"ccd{detector.id:02d}"
{%- endif %}
{%- if colors %}
        cards[SIMULATED_COLOR] = str(keys["{{ chip }}"])
{%- endif %}
{%- if t.detector.kind == "words" %}
        cards[{{ t.detector.keyword | tojson }}] = str(keys["{{ chip }}"])
{%- endif %}
{%- if t.detector.kind == "grouped" %}
        number = detector.id * {{ t.detector.size }} + {{ t.detector.first }}
        cards[{{ t.detector.keyword | tojson }}] = {{ 'f"im{number}"' if t.detector.keyword == "EXTNAME" else "number" }}
{%- endif %}
{%- if t.detector.kind in ["file", "letters"] %}
        cards["SIMCCD"] = str(keys["{{ chip }}"])
{%- endif %}
{%- if t.detector.kind == "joined" %}
        first, _, second = str(keys["{{ chip }}"]).partition("_")
        cards |= {"{{ t.detector.keyword.split("+")[0] }}": first, "{{ t.detector.keyword.split("+")[1] }}": second}
{%- endif %}
        return cards
