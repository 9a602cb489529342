"""Restart the agent. The next one finds in the logbook that it was asked for, and says that it is back."""

from __future__ import annotations

from ayni_agent.doings.job import Failed, Job, Outcome
from ayni_core.message import Message

_WORD_S = 1.0


async def do(job: Job) -> Outcome:
    """It never comes back from here, if all is well."""
    job.say(0.5, Message("running.leaving"), ())
    await job.clock.sleep(_WORD_S)
    job.ground.restart()
    await job.clock.sleep(job.order.doing.limit_s)
    raise Failed("failed.late", seconds=int(job.order.doing.limit_s))
