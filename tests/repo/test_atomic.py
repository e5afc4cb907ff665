"""Files appear whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from obs.errors import DatasetNotFoundError, OutputError
from obs.repo.atomic import atomic_write, written_together


def run(code, *args):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)], capture_output=True, text=True, check=False
    )


def test_writes_and_makes_folders(tmp_path):
    path = tmp_path / "a" / "b" / "c.txt"
    with atomic_write(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert [p.name for p in path.parent.iterdir()] == ["c.txt"]


def test_honours_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "file") as file:
            file.write(b"x")
    finally:
        os.umask(old)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "c.txt"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError, match="by zero"), atomic_write(path) as file:
        file.write(b"new" * (1 // len(b"")))
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["c.txt"]


def test_files_that_belong_together_appear_together(tmp_path):
    names = "a", "b"
    (tmp_path / "a").write_bytes(b"old")

    def write(fault):
        with written_together(), written_together():
            for name in names:
                with atomic_write(tmp_path / name) as file:
                    file.write(b"new")
            assert (tmp_path / "a").read_bytes() == b"old"
            if fault:
                raise fault

    with pytest.raises(ZeroDivisionError):
        write(ZeroDivisionError())
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]
    write(None)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == dict.fromkeys(names, b"new")


def test_our_own_errors_pass(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="not there"), atomic_write(tmp_path / "file"):
        raise DatasetNotFoundError("not there")


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "No space left on device; free some space"),
        (errno.EROFS, "Read-only file system; choose an output folder that is not read-only"),
        (errno.EACCES, "Permission denied; choose an output folder that you may write to"),
        (errno.EIO, "check the output folder and its disk"),
    ],
)
def test_says_what_to_do(tmp_path, number, message):
    path = tmp_path / "file"
    with pytest.raises(OutputError, match=f"cannot write {path}: .*{message}") as caught, atomic_write(path):
        raise OSError(number, os.strerror(number))
    assert caught.value.path == path
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "a").write_text("")
    with (
        pytest.raises(OutputError, match="move the file that is in the place of a folder"),
        atomic_write(tmp_path / "a" / "b"),
    ):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(OutputError, match="Permission denied; choose an output folder"), atomic_write(tmp_path / "f"):
        pass


def test_a_file_system_that_takes_no_more(tmp_path):
    """A limit on the file size fails in write as a full disk does."""
    done = run(
        """
        import resource, sys
        from obs.errors import OutputError
        from obs.repo.atomic import atomic_write
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            with atomic_write(sys.argv[1]) as file:
                for _ in range(100):
                    file.write(bytes(10_000))
        except OutputError as error:
            print(error)
        """,
        tmp_path / "file",
    )
    assert done.stdout.startswith(f"cannot write {tmp_path / 'file'}: File too large; raise the limit"), done.stderr
    assert not list(tmp_path.iterdir())


def test_a_killed_process_leaves_no_half_file(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    done = run(
        """
        import os, signal, sys
        from obs.repo.atomic import atomic_write
        with atomic_write(sys.argv[1]) as file:
            file.write(bytes(1_000_000))
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        tmp_path / "file",
    )
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "file").read_bytes() == b"old"
