"""The errors that a user can meet, from the classes."""

import inspect
import re

from generator.markdown import code, escape, table
from obs import errors

__all__ = ["error_page"]


def error_page() -> str:
    """Return the page."""
    when = dict(re.findall(r"^- `(\w+)` (.+?)$", errors.__doc__ or "", re.MULTILINE))
    rows = []
    for name in errors.__all__:
        kind = getattr(errors, name)
        if not inspect.isclass(kind):
            continue
        builtin = ", ".join(code(base.__name__) for base in kind.__bases__ if base.__module__ == "builtins")
        own = inspect.signature(kind.__init__).parameters if "__init__" in vars(kind) else ()
        facts = ", ".join(code(fact) for fact in own if fact not in ("self", "message"))
        words = when.get(name) or (inspect.getdoc(kind) or "")
        rows.append((code(name), builtin, facts, escape(words[0].upper() + words[1:])))
    return f"""\
# Errors

On the command line an error is one line, what was wrong, where, and what to do next, and the exit status is 1;
`--doraise` shows where in the code it arose. From Python they are exceptions of `obs.errors`. Each is also the built-in
exception that fits, and carries its facts as attributes.

{table(("exception", "is also", "attributes", "when"), rows)}"""
