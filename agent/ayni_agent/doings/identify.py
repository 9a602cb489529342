"""Say what a device is, asked anew, or what this node is."""

from __future__ import annotations

import os
import platform

from ayni_agent.doings.family import ask_family
from ayni_agent.doings.job import LONGEST_LINE, Job, Outcome
from ayni_core import __version__
from ayni_core.convert import as_text
from ayni_core.message import Message
from ayni_core.oid_notation import parse
from ayni_io import clock

_SYSTEM = {
    name: parse(f"1.3.6.1.2.1.1.{number}.0")
    for name, number in (
        ("sysDescr", 1),
        ("sysObjectID", 2),
        ("sysUpTime", 3),
        ("sysContact", 4),
        ("sysName", 5),
        ("sysLocation", 6),
    )
}


async def do(job: Job) -> Outcome:
    """The device, or the node where none is named."""
    if not job.device:
        return _node(job)
    with job.reading() as reader:
        found = await reader.get(list(_SYSTEM.values()))
        family, _answers = await ask_family(reader, job.families)
    config = job.access.config(job.device)
    lines = [
        f"{name} = {as_text(tag, value)}"[:LONGEST_LINE]
        for name, (_oid, tag, value) in zip(_SYSTEM, found, strict=True)
        if value is not None
    ]
    if config is not None and config.profile not in (None, family):
        lines.append(f"agent.yaml: profile {config.profile}")
    return Outcome(Message("done.identify", {"device": job.device, "profile": family}), tuple(lines))


def _node(job: Job) -> Outcome:
    system = os.uname()
    lines = (
        f"host {system.nodename}, {system.sysname} {system.release} {system.machine}",
        f"Python {platform.python_version()}",
        f"boot {clock.boot_id()}, {job.clock.now() / 3600:.1f} h",
        f"devices {len(job.access.names())}",
    )
    return Outcome(Message("done.identify_node", {"node": job.node, "version": __version__}), lines)
