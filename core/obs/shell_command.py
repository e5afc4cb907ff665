"""Commands in messages, which users copy into a shell."""

import shlex

__all__ = ["shell_command"]


def shell_command(*words: object) -> str:
    """Return a command as a shell takes it: words with blanks or signs that mean something to a shell are in quotes.

    Parameters
    ----------
    *words : object
        Program, arguments, paths.

    Returns
    -------
    str

    Examples
    --------
    >>> shell_command("obs", "ls", "my data; rm x", "raw")
    "obs ls 'my data; rm x' raw"
    """
    return shlex.join(str(word) for word in words)
