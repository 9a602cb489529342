"""`backup:` in hub.yaml: whom backups are encrypted for, where they go, how many stay. Defaults live here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ayni_core.keeping import Keep
from ayni_core.message import Phrase
from ayni_core.schema import Fields
from ayni_hub.backups.age import RECIPIENT
from ayni_io.secret import check_reference

_HOST = re.compile(r"([a-z_][a-z0-9_-]{0,31})@([A-Za-z0-9][A-Za-z0-9.:-]{0,252})")
_PORT = re.compile(r"(.+?):([0-9]{1,5})")
_HOST_KEY = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/=]{40,2000}")
_LABEL = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder of this machine, such as a mounted disk."""

    path: Path

    @property
    def name(self) -> str:
        """What it is called where people read."""
        return str(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stick:
    """A file system with a label, mounted for as long as it is written to; `folder` is one on it."""

    label: str
    folder: str

    @property
    def name(self) -> str:
        """What it is called where people read."""
        return f"stick {self.label}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Another machine, by SFTP. `key` says where our own private key is, `host_key` is its public one."""

    user: str
    host: str
    port: int
    folder: str
    key: str
    host_key: str

    @property
    def name(self) -> str:
        """What it is called where people read."""
        return f"{self.user}@{self.host}"


Target = Folder | Stick | Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupConfig:
    """The section."""

    recipients: tuple[str, ...]
    to: tuple[Target, ...]
    keep: Keep


def read(fields: Fields) -> BackupConfig | None:
    """Read the section, if there is one."""
    below = fields.child("backup")
    if "backup" not in fields:
        return None
    recipients = below.texts("recipients")
    for each in recipients:
        if not RECIPIENT.fullmatch(each):
            below.fault("recipients", "fault.said_expected", given=each[:80], wanted=Phrase("word.recipient"))
    if not recipients:
        below.fault("recipients", "fault.missing", wanted=Phrase("word.recipient"))
    targets = tuple(each for each in below.items("to", _target) if each is not None)
    if "to" not in below:
        wanted = Phrase("word.backup_places", {"example": "[{stick: AYNI}]"})
        below.fault("to", "fault.missing", wanted=wanted)
    config = BackupConfig(
        recipients=recipients,
        to=targets,
        keep=_keep(below.child("keep")),
    )
    below.done()
    return config


def _keep(fields: Fields) -> Keep:
    default = Keep()
    found = Keep(
        **{
            key: fields.number(key, getattr(default, key), at_least=0, at_most=1000, whole=True)
            for key in ("days", "weeks", "months")
        }
    )
    fields.done()
    return found


def _target(fields: Fields) -> Target | None:
    kinds = [kind for kind in ("stick", "ssh") if kind in fields] or ["folder"]
    found: Target | None = None
    if len(kinds) > 1:
        fields.fault("stick", "fault.one_place")
    elif kinds == ["ssh"]:
        found = _machine(fields)
    elif kinds == ["stick"]:
        label = fields.text("stick")
        if label and not _LABEL.fullmatch(label):
            fields.fault("stick", "fault.no_label", given=label)
        found = Stick(label=label, folder=_relative(fields, "ayni-backup"))
    else:
        path = fields.text("folder")
        if path and not path.startswith("/"):
            fields.fault("folder", "fault.said_expected", given=path, wanted=Phrase("word.path_slash"))
        found = Folder(path=Path(path))
    fields.done()
    return found


def _machine(fields: Fields) -> Machine | None:
    where = fields.text("ssh")
    port = 22
    match = _PORT.fullmatch(where)
    if match is not None and ":" not in match[1]:
        where, port = match[1], int(match[2])
    who = _HOST.fullmatch(where)
    if who is None or not 0 < port < 65536:
        fields.fault("ssh", "fault.said_expected", given=where[:80], wanted="user@host, user@host:port")
    host_key = fields.text("host_key")
    if host_key and not _HOST_KEY.fullmatch(host_key):
        fields.fault("host_key", "fault.expected", wanted=Phrase("word.host_key"))
    key = check_reference(fields, "key")
    folder = fields.text("folder", "ayni-backup")
    if not folder or "\0" in folder:
        fields.fault("folder", "fault.expected", wanted=Phrase("word.path_there"))
    if who is None:
        return None
    return Machine(user=who[1], host=who[2], port=port, folder=folder, key=key, host_key=host_key)


def _relative(fields: Fields, default: str) -> str:
    folder: str = fields.text("folder", default)
    if folder.startswith("/") or ".." in Path(folder).parts:
        fields.fault("folder", "fault.said_expected", given=folder, wanted=Phrase("word.path_on_stick"))
    return folder
