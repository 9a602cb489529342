"""Send copies of every poll at once, for a while; a device that is named is polled every few seconds."""

from __future__ import annotations

from ayni_agent.doings.job import Job, Outcome, Refused
from ayni_core.message import Message


async def do(job: Job) -> Outcome:
    """It ends by itself."""
    if not job.ground.watch(job.order.for_s):
        raise Refused("refused.saving", node=job.node)
    if job.device:
        job.ground.hasten(job.device, job.order.for_s)
    return Outcome(Message("done.watch", {"seconds": int(job.order.for_s)}))
