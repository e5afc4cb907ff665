"""URLs in messages, which end up in logs, reports and questions to others: without their passwords."""

import re

__all__ = ["hide_passwords"]

#: Also after a single slash, which is mistyped; to the last @ of the word, as passwords may have any sign.
_PASSWORD = re.compile(r"(\w:/{1,2}[^\s/@:\[]*:)\S+@")
_PARAMETER = re.compile(r"([?&](?:\w*password|passwd|pwd|\w*token|api_?key|secret)=)[^\s&#'\"]+", re.IGNORECASE)


def hide_passwords(text: str) -> str:
    """Return a text in which passwords in URLs are replaced by three stars.

    Parameters
    ----------
    text : str
        A URL, or any text with URLs in it.

    Returns
    -------
    str

    Examples
    --------
    >>> hide_passwords("gaia@https://me:secret@example.org/tap does not answer")
    'gaia@https://me:***@example.org/tap does not answer'
    >>> hide_passwords("postgresql://host/name?user=me&password=secret")
    'postgresql://host/name?user=me&password=***'
    """
    return _PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1***@", text))
