"""The guide's pages: which commands they name, and what they say that these print."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
GUIDE = CHECKOUT / "docs"
STEPS = sorted((GUIDE / "how_it_works").glob("*.md"))
"""Pages on how each step works."""
WRITTEN = [CHECKOUT / "README.md", *sorted(GUIDE.glob("*.md")), *STEPS]
"""Pages that people wrote; the others follow from the code."""

_BLOCK = re.compile(r"(?:^<!-- (?P<note>[^>]+) -->\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)

_SHELL_SIGNS = frozenset("|&;<>$`~(){}!")
"""What only a shell understands; lines without any are run without one."""

_PROGRAM = """\
import sys
from obs.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
"""
"""What an installation puts on the path as ``obs``; processes started from it import it anew."""


@dataclass(frozen=True)
class Block:
    """A fenced block; the note in the comment above it is ``not run: WHY``, ``star fields only`` or ``file: PATH``."""

    kind: str
    text: str
    note: str


def read_blocks(path):
    """Return the blocks of a page in their order."""
    matches = _BLOCK.finditer(path.read_text(encoding="utf-8"))
    return [Block(match["kind"], match["text"], match["note"] or "") for match in matches]


def obs_lines(path):
    """Return the lines of a page that are obs commands: those of blocks, and indented ones."""
    text = path.read_text(encoding="utf-8")
    shell = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in shell for line in block.splitlines()]
    lines += re.findall(r"^ {4}(?:.*&& )?(obs .*)$", _without_blocks(text), re.MULTILINE)
    parts = [part.strip() for line in lines for part in re.split(r"\s&&\s", line)]
    return [part for part in parts if part.split()[:1] == ["obs"]]


def obs_commands(path):
    """Return the obs commands of a page, as words."""
    return _obs_words(obs_lines(path))


def quoted_commands(path):
    """Return the obs commands between the words of a page, which may be their beginnings only."""
    text = _without_blocks(path.read_text(encoding="utf-8"))
    return _obs_words(code.removesuffix("...") for code in re.findall(r"`(obs [^`]+)`", text))


def _without_blocks(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def _obs_words(lines):
    commands = (shlex.split(line, comments=True) for line in lines)
    commands = (takewhile(lambda word: word != ">", words) for words in commands)  # without the file of the output
    return [words for words in map(list, commands) if words[:1] == ["obs"]]


def expected_lines(text):
    """Return the lines that a block of output shows, each as a pattern.

    In it ``...`` is anything, and a number with two or more decimals any such number: measured values change a little
    when the engine gets better.
    """
    lines = [line.split() for line in text.splitlines() if line.strip() and line.strip() != "..."]
    return [re.compile(" ".join(map(_word_pattern, words))) for words in lines]


def _word_pattern(word):
    pattern = ".*".join(map(re.escape, word.split("...")))
    return re.sub(r"^\d+\\\.\d{2,}(?=;?$|,$)", r"[\\d.]+", pattern)


def missing_lines(text, printed):
    """Return the patterns of a block of output that do not follow each other in what was printed."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", printed)  # colors
    lines = iter([" ".join(line.split()) for line in plain.splitlines()])
    return [pattern.pattern for pattern in expected_lines(text) if not any(pattern.fullmatch(line) for line in lines)]


@cache
def command_server():
    """Start the process whose children run commands; it ends when its input does."""
    program = [sys.executable, str(Path(__file__).with_name("command_server.py"))]
    return subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


class Shell:
    """Runs what a page says in a folder, with ``obs`` on the path and packages installed into a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site"
        programs = folder / "programs"
        programs.mkdir(parents=True)
        obs = programs / "obs"
        obs.write_text(f"#!{sys.executable}\n{_PROGRAM}")
        obs.chmod(0o755)
        paths = (self.site, CHECKOUT / "core", CHECKOUT / "obs_plugins")
        self.paths = [str(path) for path in paths]
        self.environment = os.environ | {
            "PATH": f"{programs}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PIP_TARGET": str(self.site),
            "PIP_NO_DEPS": "1",
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip means by this that there is none
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    def run(self, words, **more):
        return subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            **more,
        )

    def sh(self, line):
        words = line.split()
        if words[:3] == ["pip", "install", "-e"]:
            return self._install(words[3])
        if words[:1] == ["obs"] and not set(line) & _SHELL_SIGNS:
            return self._obs(shlex.split(line, comments=True)[1:])
        return self.run(["bash", "-c", line])

    def _obs(self, words):
        """Run a command of obs in a child of a process that has imported it; see `command_server`."""
        words = [file for word in words for file in self._files(word)]
        texts = self.folder / "programs"
        order = {"words": words, "folder": str(self.folder), "environment": self.environment, "paths": self.paths}
        order |= {"output": str(texts / "out.txt"), "errors": str(texts / "err.txt")}
        for name in ("output", "errors"):
            Path(order[name]).write_text("")
        server = command_server()
        server.stdin.write(json.dumps(order) + "\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        return subprocess.CompletedProcess(
            words, status, Path(order["output"]).read_text(), Path(order["errors"]).read_text()
        )

    def _files(self, word):
        """Return what a shell makes of a word: the files that a pattern names."""
        if not set(word) & set("*?"):
            return [word]
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.glob(word)) or [word]

    def _install(self, name):
        """Install a package, and put its folder in the place of the copy: what an editable install amounts to."""
        done = self.run(["pip", "install", "-q", f"./{name}"])
        if done.returncode == 0:
            copy = self.site / name
            shutil.rmtree(copy)
            copy.symlink_to(self.folder / name / name)
        return done

    def python(self, text):
        return self.run([sys.executable, "-c", text])


def follow(page, shell, *, stars=True):
    """Do what the blocks of a page say, one after the other; outputs are compared where the frames are the page's."""
    printed = ""
    for block in read_blocks(page):
        if block.note.startswith("not run:") or (block.note == "star fields only" and not stars):
            printed = None
            continue
        if block.note.startswith("file: "):
            (shell.folder / block.note.removeprefix("file: ")).write_text(block.text)
        elif block.kind == "sh":
            printed = ""
            for line in block.text.splitlines():
                done = shell.sh(line)
                assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
                printed += done.stdout
        elif block.kind == "python":
            done = shell.python(block.text)
            assert done.returncode == 0, f"{block.text}\n{done.stderr}"
        elif block.kind == "text" and stars and printed is not None:
            assert missing_lines(block.text, printed) == [], printed
