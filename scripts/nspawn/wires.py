"""The network of a lab: one switch in a namespace of ours, a leg to each machine, and a place for the person
at the laptop. Nothing leads out of it."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from places import DESK, KEY, KNOWN_HOSTS, LIVING, SSH_CONFIG, SWITCH, Trouble, call, has_namespace, namespace

BRIDGE = "lan"
PREFIX = 24
DESK_ADDRESS = "10.77.0.1"


def lay() -> None:
    """The switch and the desk, with fresh keys; nothing if they are there."""
    LIVING.mkdir(parents=True, exist_ok=True)
    if not has_namespace(SWITCH):
        call("ip", "netns", "add", namespace(SWITCH))
        _ip(SWITCH, "link", "set", "lo", "up")
        _ip(SWITCH, "link", "add", BRIDGE, "type", "bridge")
        _ip(SWITCH, "link", "set", BRIDGE, "up")
    if not has_namespace(DESK):
        leg(DESK, DESK_ADDRESS)
    if not KEY.exists():
        call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", KEY)
        KNOWN_HOSTS.write_text("")
        SSH_CONFIG.write_text(
            f"Host *\n  IdentityFile {KEY}\n  IdentitiesOnly yes\n  UserKnownHostsFile {KNOWN_HOSTS}\n"
            "  StrictHostKeyChecking yes\n  ConnectTimeout 5\n  LogLevel ERROR\n"
        )


def leg(name: str, address: str) -> None:
    """A namespace with `eth0` at this address, on a port of the switch. Its hardware address is fixed, so
    that no neighbour remembers another one."""
    try:
        last = ipaddress.IPv4Address(address).packed[-1]
        if ipaddress.IPv4Address(address) not in ipaddress.ip_network(
            f"{DESK_ADDRESS}/{PREFIX}", strict=False
        ):
            raise ValueError
    except ValueError:
        raise Trouble(f"{address}: expected an address beside {DESK_ADDRESS}/{PREFIX}") from None
    call("ip", "netns", "add", namespace(name))
    _ip(name, "link", "set", "lo", "up")
    _ip(SWITCH, "link", "add", port(name), "type", "veth", "peer", "name", "eth0", "netns", namespace(name))
    _ip(name, "link", "set", "eth0", "address", f"02:61:79:00:00:{last:02x}")
    _ip(SWITCH, "link", "set", port(name), "master", BRIDGE, "up")
    _ip(name, "addr", "add", f"{address}/{PREFIX}", "dev", "eth0")
    _ip(name, "link", "set", "eth0", "up")


def port(name: str) -> str:
    """A machine's port on the switch."""
    return f"p-{name}"


def pull(name: str) -> None:
    """Take a leg away."""
    if has_namespace(name):
        _ip(SWITCH, "link", "del", port(name), may_fail=True)
        call("ip", "netns", "del", namespace(name), may_fail=True)


def clear() -> None:
    """Take the switch and the desk away."""
    pull(DESK)
    if has_namespace(SWITCH):
        call("ip", "netns", "del", namespace(SWITCH), may_fail=True)
    for file in (KEY, KEY.with_suffix(".pub"), KNOWN_HOSTS, SSH_CONFIG):
        file.unlink(missing_ok=True)


def plug(name: str, *, on: bool) -> None:
    """The cable of a machine, in or out."""
    _ip(SWITCH, "link", "set", port(name), "up" if on else "down")


def _ip(name: str, *words: str | Path, may_fail: bool = False) -> None:
    call("ip", "-n", namespace(name), *words, may_fail=may_fail)
