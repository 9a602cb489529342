"""A Mosquitto of our own on loopback: where the program is, its configuration, whether it answers.

It runs as the user who starts it, keeps everything in one folder and knows nobody but our accounts.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

_PLUGIN_PLACES = ("/usr/lib/*/mosquitto_dynamic_security.so", "/usr/lib/mosquitto_dynamic_security.so",
                  "/usr/lib64/mosquitto_dynamic_security.so", "/usr/local/lib/mosquitto_dynamic_security.so",
                  "/opt/homebrew/lib/mosquitto_dynamic_security.so")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mosquitto:
    """An installed Mosquitto: the program and its dynamic-security plugin."""

    program: Path
    plugin: Path


def find_program(name: str) -> Path | None:
    """A program, also where daemons live and a user's PATH does not lead."""
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"))
    found = shutil.which(name, path=places)
    return Path(found) if found else None


def find_mosquitto() -> Mosquitto | None:
    """Mosquitto with its plugin, or None when either is missing."""
    program = find_program("mosquitto")
    for place in _PLUGIN_PLACES:
        for plugin in sorted(Path("/").glob(place.lstrip("/"))):
            if program:
                return Mosquitto(program, plugin)
    return None


def configuration(mosquitto: Mosquitto, *, port: int, accounts: Path, data_dir: Path) -> str:
    """A mosquitto.conf: loopback only, nobody without an account, queues bounded, retained messages kept."""
    lines = (
        "# Written by Ayni; changes are lost at the next start.",
        "per_listener_settings false",
        "allow_anonymous false",
        f"plugin {mosquitto.plugin}",
        f"plugin_opt_config_file {accounts}",
        *_stay_root(),
        f"listener {port} 127.0.0.1",
        "socket_domain ipv4",
        "persistence true",
        f"persistence_location {data_dir}/",
        "autosave_interval 300",
        "max_inflight_messages 100",
        "max_queued_messages 2000",
        # of one who does not read; no memory_limit: with 2.0.11 the first change of an account makes its
        # count wrap, and from then on the broker hangs up on everybody
        "max_queued_bytes 33554432",
        "max_packet_size 4194304",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "connection_messages false",
    )
    return "\n".join(lines) + "\n"


def _stay_root() -> tuple[str, ...]:
    # Started by root it would become the user `mosquitto`, who may not read our files.
    return (f"user {pwd.getpwuid(0).pw_name}",) if os.geteuid() == 0 else ()


def accepts(host: str, port: int, account: str, password: str, *, timeout_s: float = 2.0) -> bool:
    """Whether a broker there takes our account: so it is ours, not a stranger on the same port.

    One CONNECT of MQTT 3.1.1 by hand (OASIS MQTT 3.1.1, 3.1), its CONNACK, and a DISCONNECT.
    """
    fields = b"".join(_text(text) for text in ("", account, password))
    body = _text("MQTT") + bytes((4, 0b1100_0010, 0, 10)) + fields
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as connection:
            connection.sendall(b"\x10" + _length(len(body)) + body)
            answer = connection.recv(4)
            connection.sendall(b"\xe0\x00")
    except OSError:
        return False
    return answer == b"\x20\x02\x00\x00"


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of 127.0.0.1 that is free now. It may be gone a moment later: try again when it is."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _text(text: str) -> bytes:
    data = text.encode("utf-8")
    return len(data).to_bytes(2, "big") + data


def _length(length: int) -> bytes:
    result = bytearray()
    while True:
        length, digit = divmod(length, 128)
        result.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(result)
