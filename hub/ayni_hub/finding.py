"""Looks for devices by the agent's own search, run as a process: the hub never imports the agent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ayni_core.discovery.found import FoundDevice
from ayni_core.inventory import Network
from ayni_core.schema import ConfigError
from ayni_io.i18n import _
from ayni_io.stack import ayni

_MOST = 5000
_WRONG = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search brought. `finished`: nobody interrupted it."""

    devices: tuple[FoundDevice, ...]
    finished: bool = True


def search(words: Sequence[str]) -> Found:
    """Run `ayni agent discover` with these words; its bar shows on this terminal. Raises `ConfigError`."""
    # Its errors and its bar go where ours go; Ctrl+C reaches it too, and it then tells what it has.
    process = subprocess.Popen(  # noqa: S603 (our own command line)
        ayni("agent", "discover", "--json", *words),
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env={key: value for key, value in os.environ.items() if key != "AYNI_SNMP_COMMUNITY"},
    )
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        output, _nothing = process.communicate()
    finally:
        signal.signal(signal.SIGINT, before)
    if process.returncode == _WRONG:
        raise ConfigError([_("the search for devices could not begin")])
    return read(output)


def read(output: bytes) -> Found:
    """What the agent printed. Raises `ConfigError` where that is no such object."""
    try:
        value = json.loads(output)
    except (ValueError, RecursionError):
        value = None
    listed = value.get("devices") if isinstance(value, Mapping) else None
    if not isinstance(listed, list):
        raise ConfigError([_("the search for devices ended without an answer")])
    devices = [FoundDevice.from_json(each) for each in listed[:_MOST]]
    return Found(
        devices=tuple(device for device in devices if device is not None),
        finished=value.get("finished") is not False,
    )


def is_new(device: FoundDevice, network: Network, port: int) -> bool:
    """Whether it has an address, and none of its addresses stands in network.yaml."""
    known = {(each.host, each.port) for each in network.devices.values()}
    return bool(device.addresses) and not any((address, port) in known for address in device.addresses)
