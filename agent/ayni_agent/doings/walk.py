"""Read a part of what a device has: a table, bounded in rows and time."""

from __future__ import annotations

from ayni_agent.doings.job import LONGEST_LINE, Job, Outcome
from ayni_core.ber import oid_text
from ayni_core.commands import walk_root
from ayni_core.convert import Raw, as_text
from ayni_core.message import Message
from ayni_core.snmp import OCTET_STRING
from ayni_io.snmp_walk import PoliteWalk

_PER_S = 10.0


async def do(job: Job) -> Outcome:
    """What lies below the root, in order."""
    root, most = walk_root(job.order.target), job.order.count

    def tell(objects: int, _elapsed_s: float) -> None:
        shown = min(objects, most)
        job.say(shown / most, Message("running.walking", {"objects": shown}), ())

    with job.reading() as reader:
        config = job.access.config(job.device)
        version = config.version if config is not None else "2c"
        walk = PoliteWalk(
            reader, version=version, per_s=_PER_S, most_objects=most + 1, within_s=job.order.doing.limit_s - 5
        )
        await walk.run(tell, root)
    lines = tuple(_line(oid, raw) for oid, raw in list(walk.objects.items())[:most])
    whole = walk.complete and len(walk.objects) <= most
    return Outcome(Message("done.walk" if whole else "done.walk_cut", {"objects": len(lines)}), lines)


def _line(oid: bytes, raw: Raw) -> str:
    tag, value = raw
    if (
        tag == OCTET_STRING
        and isinstance(value, bytes)
        and not value.decode("utf-8", "replace").isprintable()
    ):
        text = value[:40].hex(" ")
    else:
        text = as_text(tag, value)
    return f"{oid_text(oid)} = {text}"[:LONGEST_LINE]
