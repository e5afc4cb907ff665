"""Commands to a DS9 that runs: through XPA where its programs are installed, else through SAMP."""

import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from obs.errors import OutputError

__all__ = ["Samp", "Transport", "Xpa", "find_transport"]

_SECONDS = 60
_CLIENT = "SAOImageDS9"


class Transport(Protocol):
    """The way to one DS9."""

    def send(self, command: str) -> None:
        """Send a command to DS9 and wait for it.

        Raises
        ------
        OutputError
            If DS9 refuses.
        """

    def ask(self, command: str) -> str:
        """Send a question to DS9 and return its answer.

        Raises
        ------
        OutputError
            If DS9 refuses.
        """


class Xpa:
    """A DS9 that is reached by the programs ``xpaset`` and ``xpaget``.

    Parameters
    ----------
    name : str
        Title of its window, or another name that XPA knows.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @staticmethod
    def is_installed() -> bool:
        """Return whether the programs are there."""
        return bool(shutil.which("xpaset") and shutil.which("xpaget"))

    def is_there(self) -> bool:
        """Return whether a DS9 answers."""
        try:
            self.ask("version")
        except OutputError:
            return False
        return True

    def send(self, command: str) -> None:
        """Send a command to DS9 and wait for it."""
        self._run(["xpaset", "-p", self.name, command])

    def ask(self, command: str) -> str:
        """Send a question to DS9 and return its answer."""
        return self._run(["xpaget", self.name, *command.split()])

    def _run(self, words: list[str]) -> str:
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OutputError(f"DS9 does not answer: {error}") from error
        problem = "XPA$ERROR" in done.stderr + done.stdout
        if done.returncode != 0 or problem:
            text = (done.stderr + done.stdout).replace("XPA$ERROR", "").strip()
            raise OutputError(f"DS9 refuses '{' '.join(words[3:] or words[2:])}': {text}")
        return done.stdout.strip()


class Samp:
    """A DS9 that is a client of a SAMP hub.

    Parameters
    ----------
    client : SAMPIntegratedClient
        Our own connection to the hub.
    number : str
        Id of DS9 at the hub.
    """

    def __init__(self, client: Any, number: str) -> None:  # noqa: ANN401 - of pyvo or astropy
        self._client, self._number = client, number

    @classmethod
    def find(cls) -> "Samp | None":
        """Return the first DS9 at the hub; None where there is no hub or no DS9."""
        module = _samp_module()
        client = module.SAMPIntegratedClient(name="obs", description="Images and catalogs of obs")
        try:
            client.connect()
        except module.SAMPHubError:
            return None
        for number in client.get_registered_clients():
            if client.get_metadata(number).get("samp.name") == _CLIENT:
                return cls(client, number)
        client.disconnect()
        return None

    def send(self, command: str) -> None:
        """Send a command to DS9 and wait for it."""
        self._call("ds9.set", command)

    def ask(self, command: str) -> str:
        """Send a question to DS9 and return its answer."""
        answer = self._call("ds9.get", command)
        place = urlsplit(str(answer.get("url", "")))
        if place.scheme == "file":  # long answers come in a file
            return Path(unquote(place.path)).read_text(encoding="utf-8", errors="replace").strip()
        return str(answer.get("value", "")).strip()

    def close(self) -> None:
        """Leave the hub of SAMP that connects programs."""
        self._client.disconnect()

    def _call(self, kind: str, command: str) -> dict[str, Any]:
        try:
            answer = self._client.ecall_and_wait(self._number, kind, str(_SECONDS), cmd=command)
        except Exception as error:  # the libraries raise what the hub sends, of many classes
            raise OutputError(f"DS9 does not answer: {error}") from error
        if answer.get("samp.status") != "samp.ok":
            text = answer.get("samp.error", {}).get("samp.errortxt", "no reason given")
            raise OutputError(f"DS9 refuses '{command}': {text}")
        result: dict[str, Any] = answer.get("samp.result", {})
        return result


def _samp_module() -> Any:  # noqa: ANN401 - a module
    """Return the SAMP of pyvo, which replaces that of astropy, or else that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy 8 says that its own is deprecated
        try:
            from pyvo import samp  # noqa: PLC0415 - an extra

            return samp
        except ImportError:
            from astropy import samp  # noqa: PLC0415 - slow to import

            return samp


def find_transport(name: str) -> Transport | None:
    """Return the way to a DS9 that runs, or None."""
    if Xpa.is_installed():
        xpa = Xpa(name)
        return xpa if xpa.is_there() else None
    return Samp.find()
