"""Another machine as a place: the program `ssh` with a key of its own, asked for nothing but SFTP."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, cast

from ayni_core.schema import ConfigError
from ayni_hub.backups.config import Machine
from ayni_hub.backups.errors import BackupError
from ayni_hub.backups.places import Place
from ayni_hub.backups.sftp import SftpPlace
from ayni_io import secret
from ayni_io.broker import find_program
from ayni_io.i18n import _

_OPTIONS = (
    "BatchMode=yes", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "ConnectTimeout=20",
    "ServerAliveInterval=20", "ServerAliveCountMax=6", "ForwardAgent=no", "ForwardX11=no",
    "GlobalKnownHostsFile=/dev/null", "Compression=no", "PreferredAuthentications=publickey",
)  # fmt: skip


@contextlib.contextmanager
def opened(machine: Machine) -> Iterator[Place]:
    """A folder there. Raises `BackupError`."""
    program = find_program("ssh")
    if program is None:
        raise BackupError(_("ssh is not installed: sudo apt install openssh-client"))
    with tempfile.TemporaryDirectory(prefix="ayni-ssh-") as name, tempfile.TemporaryFile() as said:
        known = Path(name) / "known"
        known.write_text(f"{_host(machine)} {machine.host_key}\n", encoding="utf-8")
        key = _key(machine.key)
        options = [*_OPTIONS, f"UserKnownHostsFile={known}", f"IdentityFile={key}"]
        argv = [str(program), "-F", "/dev/null", "-T", "-p", str(machine.port), "-l", machine.user]
        argv += [word for option in options for word in ("-o", option)]
        argv += ["-s", "--", machine.host, "sftp"]
        with subprocess.Popen(  # noqa: S603 (checked words, no shell)
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
        ) as process:
            to, back = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)

            def why() -> str:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(1.0)
                return _last(said)

            try:
                yield SftpPlace(to, back, machine.folder, machine.name, why)
            finally:
                with contextlib.suppress(OSError):
                    to.close()
                try:
                    process.wait(10.0)
                except subprocess.TimeoutExpired:
                    process.kill()


def _key(reference: str) -> Path:
    """Where our private key lies; `ssh` reads it itself."""
    kind, _colon, rest = reference.partition(":")
    if kind in ("file", "credential"):
        with contextlib.suppress(ConfigError):
            path = Path(rest) if kind == "file" else secret.credential(rest, reference)
            if path.is_file():
                return path
    raise BackupError(_("{path}: there is no such private key", path=reference))


def _host(machine: Machine) -> str:
    """As ssh looks it up among the known ones."""
    return machine.host if machine.port == 22 else f"[{machine.host}]:{machine.port}"


def _last(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read(8192).decode("utf-8", "replace").splitlines()
    told = [line.strip() for line in lines if line.strip() and not line.startswith(("Warning:", "@"))]
    return told[-1][:200] if told else ""
