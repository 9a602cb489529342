"""Send copies of every poll at once, for a while."""

from __future__ import annotations

from ayni_agent.doings.job import Job, Outcome
from ayni_core.message import Message


async def do(job: Job) -> Outcome:
    """It ends by itself."""
    job.ground.watch(job.order.for_s)
    return Outcome(Message("done.watch", {"seconds": int(job.order.for_s)}))
