"""The way from the monitor, hop by hop."""

from __future__ import annotations

from ayni_agent.doings.job import Failed, Job, Outcome
from ayni_agent.doings.ping import where
from ayni_core.message import Message
from ayni_io.traceroute import Hop, traceroute


async def do(job: Job) -> Outcome:
    """To the device itself, or to whatever `target` names."""
    target, address = await where(job)
    lines: list[str] = []
    hop = Hop(0)
    async for hop in traceroute(address, most=job.order.count):
        lines.append(_line(hop))
        job.say(hop.number / job.order.count, None, (lines[-1],))
    if not hop.last or hop.cause:
        raise Failed("failed.no_way", target=target, hops=hop.number)
    return Outcome(Message("done.traceroute", {"target": target, "hops": hop.number}), tuple(lines))


def _line(hop: Hop) -> str:
    if hop.address is None or hop.ms is None:
        return f"{hop.number}: *"
    return f"{hop.number}: {hop.address} {hop.ms:.1f} ms {hop.cause}".rstrip()
