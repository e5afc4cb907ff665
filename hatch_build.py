"""Compile the kernels when the package is built or installed. Where there is no C compiler, numpy does their work."""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = "core/obs/kernels"
FLAGS = ["-std=gnu11", "-O3", "-fPIC", "-shared", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
"""No fused products: results do not depend on the processor."""


class KernelsBuildHook(BuildHookInterface):
    """Puts the compiled kernels into wheels, and beside their sources for an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files of a wheel are collected; source distributions hold the sources alone."""
        if self.target_name != "wheel":
            return
        library, reason = compile_kernels(Path(self.root, SOURCES), Path(self.root, SOURCES, library_name()))
        if library is None:
            self.app.display_warning(f"{reason}; obs works without compiled kernels, only slower")
            return
        if version == "editable":
            return
        build_data["force_include"][str(library)] = f"obs/kernels/{library.name}"
        build_data["pure_python"] = False
        # the library knows nothing of Python: one for all versions
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def library_name() -> str:
    """Return the name of the compiled library, the same on all systems with ``dlopen``."""
    return "kernels.so"


def source_digest(folder: Path) -> str:
    """Return a digest of the C sources in a folder, as `obs.kernels.library` computes it."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.c"), *folder.glob("*.h")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def compile_kernels(folder: Path, library: Path) -> tuple[Path | None, str]:
    """Compile the C sources of a folder to a shared library; return its path, or None and the reason.

    Parameters
    ----------
    folder : Path
        Where the sources are.
    library : Path
        File to write; it is replaced in one step, for a process may use the old one.
    """
    words = shlex.split(os.environ.get("CC", "")) or ["cc"]
    if sys.platform == "win32" or shutil.which(words[0]) is None:
        return None, f"no C compiler ({words[0]}) was found"
    temporary = library.with_name(f".{library.name}.{os.getpid()}.tmp")
    define = f'-DOBS_KERNELS_DIGEST="{source_digest(folder)}"'
    sources = [str(path) for path in sorted(folder.glob("*.c"))]
    command = [*words, *FLAGS, define, "-o", str(temporary), *sources, "-lm"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            return None, f"the C compiler ({words[0]}) failed: {lines[0]}"
        temporary.replace(library)
    except (OSError, subprocess.TimeoutExpired) as fault:
        return None, f"the C compiler ({words[0]}) failed: {fault}"
    finally:
        temporary.unlink(missing_ok=True)
    return library, ""
