"""Facts as packages of template 5 and before keep them, in the form of today."""

from collections.abc import Mapping
from typing import Any

__all__ = ["renew_facts"]

_LAYOUTS = ("iso", "mjd", "jd")


def renew_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variable ``_facts`` of the template; that of today as it is.

    Parameters
    ----------
    facts : mapping
        As a package keeps them.
    """
    rules = facts.get("translator")
    if not isinstance(rules, Mapping) or "dates" in rules or "date" not in rules:
        return dict(facts)
    kept = ("visit", "detector", "site", "time_scale")
    renewed = {name: rules[name] for name in kept if name in rules}
    renewed |= {
        "filter": [rules["filter"]] if rules.get("filter") else [["FILTER"]],
        "dates": [_date(rules["date"])],
        "date_known": not rules["date"].get("is_odd", False),
        "exposure_time": [
            {"keyword": rules["exposure_time"]["keyword"], "unit": rules["exposure_time"]["unit"], "times": ""}
        ],
        "object": [rules["object"]],
        "image_type": [rules["image_type"]],
        "pointings": [_pointing(rules["pointing"])],
        "pointing_known": rules["pointing"].get("is_known", True),
        "airmass": [rules["airmass"]] if rules.get("airmass") else [],
    }
    return {**facts, "translator": renewed}


def _date(rule: Mapping[str, Any]) -> dict[str, Any]:
    layout = rule["kind"] if rule["kind"] in _LAYOUTS else rule["layout"]
    options = {"time": rule.get("time", ""), "layout": layout}
    defaults = {"time": "", "layout": "iso"}
    return {"date": rule["date"], "options": {name: v for name, v in options.items() if v != defaults[name]}}


def _pointing(rule: Mapping[str, Any]) -> dict[str, Any]:
    unit = rule.get("ra_unit", "deg")
    return {"ra": rule["ra"], "dec": rule["dec"], "options": {} if unit == "deg" else {"ra_unit": unit}}
