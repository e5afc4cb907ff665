"""Commands to a DS9 that runs: through XPA where its programs are installed, else through SAMP."""

import itertools
import shutil
import subprocess
import threading
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from obs.errors import OutputError

__all__ = ["Samp", "Transport", "Xpa", "find_transport"]

_SECONDS = 60


class Transport(Protocol):
    """The way to one DS9."""

    def send(self, command: str) -> None:
        """Send a command to DS9 and wait for it.

        Parameters
        ----------
        command : str
            Command as in the manual of DS9, for example ``zoom to fit``.

        Raises
        ------
        OutputError
            If DS9 refuses.
        """

    def ask(self, command: str) -> str:
        """Send a question to DS9 and return its answer.

        Parameters
        ----------
        command : str
            Question as in the manual of DS9, for example ``frame``.

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
        Title of its window, or another name that XPA knows. Of several with this name, the first is meant.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._address = ""

    @staticmethod
    def is_installed() -> bool:
        """Return whether the programs are there."""
        return bool(shutil.which("xpaset") and shutil.which("xpaget"))

    def is_there(self) -> bool:
        """Return whether a DS9 answers; of several with the name, the first that does is meant from now on."""
        for address in self.addresses() or [self.name]:
            self._address = address
            try:
                self.ask("version")
            except OutputError:
                continue
            return True
        self._address = ""
        return False

    def addresses(self) -> list[str]:
        """Return where XPA has a DS9 of this name, which may not answer."""
        try:
            lines = self._run(["xpaget", "xpans"]).splitlines()
        except OutputError:  # the name server of XPA starts with the first DS9
            return []
        places = [words for line in lines if len(words := line.split()) == 5 and words[0] == "DS9"]
        return [words[3] for words in places if self.name in (words[1], words[3])]

    def send(self, command: str) -> None:
        """Send a command to DS9 and wait for it."""
        self._run(["xpaset", "-p", self._find(), command])

    def ask(self, command: str) -> str:
        """Send a question to DS9 and return its answer."""
        return self._run(["xpaget", self._find(), *command.split()])

    def _find(self) -> str:
        """Return the address of one DS9: a name means all that have it, which would answer together."""
        if not self._address:
            self._address = next(iter(self.addresses()), "")
        return self._address or self.name

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
        self._tags = itertools.count()

    @classmethod
    def find(cls, name: str = "ds9") -> "Samp | None":
        """Return a DS9 at the hub that takes commands; None where there is no hub or no such DS9.

        Parameters
        ----------
        name : str, optional
            Title of its window, which newer DS9 tell the hub. The first DS9 is taken where none has it.
        """
        module = _samp_module()
        client = module.SAMPIntegratedClient(name="obs", description="Images and catalogs of obs")
        try:
            client.connect()
        except module.SAMPHubError:
            return None
        # subscriptions are the last that DS9 declares: with its name alone it does not take commands yet
        numbers = list(client.get_subscribed_clients("ds9.set"))
        numbers.sort(key=lambda number: client.get_metadata(number).get("samp.name") != name)
        if numbers:
            return cls(client, numbers[0])
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

    def _call(self, kind: str, command: str) -> Mapping[str, Any]:
        if not command.isascii():  # DS9 counts bytes as characters, and waits for more of them forever
            raise OutputError(f"DS9 takes only ASCII characters over SAMP, got '{command}'; install xpa-tools")
        answer = self._exchange(kind, command)
        if answer.get("samp.status") != "samp.ok":
            text = answer.get("samp.error", {}).get("samp.errortxt", "no reason given")
            raise OutputError(f"DS9 refuses '{command}': {text}")
        result: Mapping[str, Any] = answer.get("samp.result", {})
        return result

    def _exchange(self, kind: str, command: str) -> Mapping[str, Any]:
        """Return the answer to a message.

        The hub of pyvo and astropy loses an answer to ``callAndWait`` that comes before it has noted the call, so the
        answer is received by our own client, which listens before the message is sent.
        """
        tag, arrived = f"obs-{next(self._tags)}", threading.Event()
        answers: list[Mapping[str, Any]] = []

        def receive(key: str, sender: str, tag: str, response: Mapping[str, Any]) -> None:
            answers.append(response)
            arrived.set()

        self._client.bind_receive_response(tag, receive)
        try:
            self._client.ecall(self._number, tag, kind, cmd=command)
            arrived.wait(_SECONDS)
        except Exception as error:  # the libraries raise what the hub sends, of many classes
            raise OutputError(f"DS9 does not answer: {error}") from error
        finally:
            self._client.unbind_receive_response(tag)
        if not answers:
            raise OutputError(f"DS9 does not answer '{command}' within {_SECONDS} s: close its dialogs, or restart it")
        return answers[0]


def _samp_module() -> Any:  # noqa: ANN401 - a module
    """Return the SAMP of pyvo, which replaces that of astropy, or else that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy 8 says that its own is deprecated
        try:
            from pyvo import samp  # noqa: PLC0415 - an extra
        except ImportError:
            from astropy import samp  # noqa: PLC0415 - slow to import
    samp.conf.use_internet = False  # it would ask a web site whether there is a network, at each connection
    return samp


def find_transport(name: str) -> Transport | None:
    """Return the way to a DS9 that runs, or None.

    Parameters
    ----------
    name : str
        Title of the DS9 window.
    """
    if Xpa.is_installed():
        xpa = Xpa(name)
        return xpa if xpa.is_there() else None
    return Samp.find(name)
