"""A PostgreSQL server of its own in a temporary folder, reached through a socket there."""

import glob
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

__all__ = ["find_binaries", "serve"]

_PLACES = "/usr/lib/postgresql/*/bin"


def find_binaries():
    """Return the folder of the server's programs; None where it is not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else [Path(name) for name in sorted(glob.glob(_PLACES))]
    whole = [folder for folder in folders if all((folder / name).is_file() for name in ("initdb", "postgres"))]
    return whole[-1] if whole else None


class Server:
    """A server that can be stopped in the middle of something."""

    def __init__(self, binaries, folder, account):
        self.binaries, self.folder, self.account = binaries, folder, account
        self.url = f"postgresql+psycopg://obs@/postgres?host={folder}"
        self._run("initdb", "-D", folder / "data", "-U", "obs", "-A", "trust", "--no-sync", "-E", "UTF8")

    def start(self):
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off -c max_connections=40"
        log = self.folder / "log"
        self._run("pg_ctl", "-D", self.folder / "data", "-w", "-t", "30", "-l", log, "-o", options, "start")

    def stop(self):
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")

    def _run(self, program, *words):
        command = [str(self.binaries / program), *map(str, words)]
        subprocess.run(command, check=True, user=self.account, cwd=self.folder, stdout=subprocess.DEVNULL, timeout=60)


@contextmanager
def serve():
    """Start a server; it does not run as root."""
    account = "postgres" if os.getuid() == 0 else None
    # Not below pytest's folder, which only its owner may enter, and short: a socket's path has 107 letters at most.
    folder = Path(tempfile.mkdtemp(prefix="obs-pg-", dir="/tmp"))
    try:
        if account:
            shutil.chown(folder, account)
        server = Server(find_binaries(), folder, account)
        server.start()
        try:
            yield server
        finally:
            server.stop()
            time.sleep(0.1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
