"""VOTables before they are parsed: the parser follows links to other files and hosts, and believes sizes."""

import math
import re
from pathlib import Path
from xml.parsers import expat

from obs.errors import FileFormatError
from obs.small_file import read_small_file

__all__ = ["check_votable"]

_NUMBER = re.compile(r"\d+")
#: Digits of a size; longer ones are not converted.
_LONGEST = 12
#: Values that any table may claim: services declare texts longer than they are.
_HARMLESS = 65_536


def check_votable(path: Path | str) -> None:
    """Raise an error if a VOTable takes its data from elsewhere, or claims more of them than its bytes can hold.

    Raises
    ------
    FileFormatError
        If it does, is too large, or is not XML.
    """
    text = read_small_file(path, error=FileFormatError)

    def look(name: str, attributes: dict[str, str]) -> None:
        element = name.rpartition(":")[2]
        if element == "STREAM" and "href" in attributes:
            raise FileFormatError(
                "its data are in another file (STREAM href), which is not followed; put them into the table", path=path
            )
        size = attributes.get({"TABLE": "nrows", "FIELD": "arraysize"}.get(element, ""), "")
        numbers = [] if size.endswith("*") else _NUMBER.findall(size)
        is_long = len(numbers) > _LONGEST or any(len(number) > _LONGEST for number in numbers)
        if is_long or math.prod(map(int, numbers)) > max(len(text), _HARMLESS):
            raise FileFormatError(f"{element} of {size[:_LONGEST]} values, more than the file has bytes", path=path)

    parser = expat.ParserCreate()
    parser.StartElementHandler = look
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"cannot be read as a VOTable: {error}", path=path) from None
