"""The `ayni` command within the test's own process: a hundred calls in the time of one start.

What only a process of its own shows stays with a real one: a broken pipe, a terminal, a signal, what is
imported, and once that the installed command is this one (tests/test_cli.py).
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ayni_io import cli, i18n


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a process would have left; `stdout` and `stderr` as they are read in `encoding`."""

    returncode: int
    stdout: str
    stderr: str


def ayni(
    *words: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, encoding: str = "utf-8"
) -> Run:
    """Run a command as the shell would: in English, with nothing to read; `env` is added to the environment.

    A bug is a traceback on stderr and status 1, as from an interpreter of its own.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True) for _each in range(2))
    with _environment({"AYNI_LANG": "en", **(env or {})}), _own_logging(), open(os.devnull) as nothing:
        before = sys.stdin, sys.argv, Path.cwd()
        sys.stdin, sys.argv = nothing, ["ayni", *words]
        os.chdir(cwd or before[2])
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = _status(words)
        finally:
            sys.stdin, sys.argv = before[:2]
            os.chdir(before[2])
    said = [each.buffer.getvalue().decode(encoding) for each in (out, err)]  # type: ignore[attr-defined]
    return Run(returncode=status, stdout=said[0], stderr=said[1])


def _status(words: tuple[str, ...]) -> int:
    try:
        return cli.main(words)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception:
        traceback.print_exc()
        return 1


@contextlib.contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    """With these variables; afterwards all are as before, and so is the language that followed from them."""
    before, language = dict(os.environ), i18n.language()
    os.environ.update(more)
    time.tzset()
    i18n.use("en")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        time.tzset()
        i18n.use(language)


@contextlib.contextmanager
def _own_logging() -> Iterator[None]:
    """As in a process where nobody has set up logging: pytest's handlers would be in the way."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers[:] = []
    try:
        yield
    finally:
        root.handlers[:] = before
        root.setLevel(level)
