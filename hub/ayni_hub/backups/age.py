"""Encryption by the program `age` (age-encryption.org, Debian's package `age`), and nothing but it.

The central has public keys only: who steals it cannot read its backups. Keys of others than people with the
private one do not help; a stream that was cut or changed is refused at its end, so what comes out may be used
only after `age` has said that all is well."""

from __future__ import annotations

import contextlib
import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, BinaryIO, cast

from ayni_hub.backups.errors import BackupError
from ayni_io.broker import find_program
from ayni_io.i18n import _

RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}|ssh-(?:ed25519|rsa) [A-Za-z0-9+/=]{40,1000}")
MAGIC = b"age-encryption.org/"
_PIECE = 64 * 1024


@contextlib.contextmanager
def sealing(recipients: Sequence[str], write: Callable[[bytes], object]) -> Iterator[BinaryIO]:
    """What is written into this file reaches `write` encrypted, all of it when the block is left. Raises
    `BackupError`, and what `write` raises."""
    options = [word for each in recipients for word in ("-r", each)]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603 (a program of ours, no shell)
            [_program(), *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
        ) as process,
    ):
        stdin, stdout = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
        failed: list[BaseException] = []

        def pump() -> None:
            try:
                while piece := stdout.read(_PIECE):
                    write(piece)
            except BaseException as error:  # it is raised where the block is left
                failed.append(error)
                process.kill()

        thread = threading.Thread(target=pump, name="backup", daemon=True)
        thread.start()
        try:
            with contextlib.suppress(BrokenPipeError):  # it says itself why it ended
                yield cast(BinaryIO, stdin)
            with contextlib.suppress(BrokenPipeError):
                stdin.close()
        except BaseException:
            process.kill()
            with contextlib.suppress(OSError):
                stdin.close()
            raise
        finally:
            thread.join()
        if failed:
            raise failed[0]
        if process.wait() != 0:
            raise BackupError(_("age could not encrypt: {reason}", reason=_last(said)))


@contextlib.contextmanager
def opening(path: Path, identity: Path | None) -> Iterator[BinaryIO]:
    """A backup as it was before it was encrypted; one that is not encrypted as it is. Nothing read may be
    used before the block was left without a `BackupError`."""
    with path.open("rb", buffering=0) as file:  # age reads on from where the system says we are
        sealed = file.read(len(MAGIC)) == MAGIC
        file.seek(0)
        if not sealed:
            yield cast(BinaryIO, file)
            return
        if identity is None:
            raise BackupError(_("{path}: is encrypted; say --identity FILE, the private key", path=path))
        if not identity.is_file():
            raise BackupError(_("{path}: there is no such private key", path=identity))
        with (
            tempfile.TemporaryFile() as said,
            subprocess.Popen(  # noqa: S603 (a program of ours, no shell)
                [_program(), "-d", "-i", str(identity)], stdin=file, stdout=subprocess.PIPE, stderr=said
            ) as process,
        ):
            stdout = cast(IO[bytes], process.stdout)
            try:
                yield cast(BinaryIO, stdout)
                while stdout.read(_PIECE):
                    pass
            except Exception:
                stdout.close()
                if process.wait() > 0:  # why there was not what was expected
                    raise BackupError(_failed(path, said)) from None
                raise
            if process.wait() != 0:
                raise BackupError(_failed(path, said))


def _failed(path: Path, said: IO[bytes]) -> str:
    return _("{path}: {reason}", path=path, reason=_why(_last(said)))


def _why(said: str) -> str:
    if "no identity matched" in said:
        return _("this private key is not one of those that it was encrypted for")
    return _("it is cut or damaged ({reason})", reason=said)


def _program() -> str:
    found = find_program("age")
    if found is None:
        raise BackupError(_("age is not installed: sudo apt install age"))
    return str(found)


def _last(said: IO[bytes]) -> str:
    said.seek(0)
    lines = [line for line in said.read(4096).decode("utf-8", "replace").splitlines() if line.strip()]
    first = next((line for line in lines if "error:" in line), lines[0] if lines else "it ended")
    return first.removeprefix("age: error: ")[:200]
