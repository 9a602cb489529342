"""net-snmp's agent for this machine itself: unprivileged, on loopback, from a folder of its own."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from ayni_core.ber import encode_oid
from ayni_core.snmp import GET, MIN_REQUEST_ID, V2C, CommunityEnvelope, request_template
from ayni_io import broker, files
from ayni_io.stack import Part

_SYS_UPTIME = encode_oid("1.3.6.1.2.1.1.3.0")


def part(folder: Path, port: int, community: str) -> Part | None:
    """The part that is this machine's snmpd, its files written; None where net-snmp is not installed."""
    program = broker.find_program("snmpd")
    if program is None:
        return None
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = folder / "snmpd.conf"
    lines = (
        f"agentaddress udp:127.0.0.1:{port}",
        f"rocommunity {community} 127.0.0.1",
        "sysServices 72",
        "dontLogTCPWrappersConnects yes",
        f"[snmp] persistentDir {folder / 'state'}",
    )
    files.write_text(config, "\n".join(lines) + "\n", mode=0o600)

    async def ready() -> bool:
        return await asyncio.to_thread(answers, "127.0.0.1", port, community)

    return Part(
        name="snmpd",
        argv=(str(program), "-f", "-LOw", "-I", "-smux", "-C", "-c", str(config), "-p", str(folder / "pid")),
        rank=2,
        ready=ready,
        ready_within_s=5.0,
        env={"SNMPCONFPATH": str(folder), "MIBS": ""},
    )


def answers(host: str, port: int, community: str, *, timeout_s: float = 0.5) -> bool:
    """Whether an SNMP agent (v2c) answers for its sysUpTime."""
    template = request_template(GET, (_SYS_UPTIME,))
    request = CommunityEnvelope(V2C, community.encode("utf-8")).seal(template, MIN_REQUEST_ID)
    try:
        (family, kind, _proto, _name, address), *_others = socket.getaddrinfo(
            host, port, type=socket.SOCK_DGRAM
        )
        with socket.socket(family, kind) as connection:
            connection.settimeout(timeout_s)
            connection.connect(address)
            connection.send(request)
            return bool(connection.recv(4096))
    except OSError:
        return False
