"""Poll and report by another plan for a while. `own` or a restart of the agent ends it before its time."""

from __future__ import annotations

from ayni_agent.doings.job import Job, Outcome, Refused
from ayni_core.commands import OWN_PLAN, poll_plan
from ayni_core.message import Message
from ayni_core.wire.limits import MAX_POLLS


async def do(job: Job) -> Outcome:
    """What is not named stays as it is configured; after `for_s` all is as configured."""
    own = job.ground.pace()
    if job.order.value == OWN_PLAN:
        job.ground.replan(*own)
        job.later("plan", 0.0, lambda: None)  # nothing ends any more
        return Outcome(Message("done.plan_own", {"poll": own[0], "flush": own[1]}))
    asked = poll_plan(job.order.value)
    poll_s, flush_s = asked[0] or own[0], asked[1] or own[1]
    most = MAX_POLLS / 2 * poll_s
    if not poll_s <= flush_s <= most:
        raise Refused("refused.flush", least=poll_s, most=most)
    job.ground.replan(poll_s, flush_s)
    job.later("plan", job.order.for_s, lambda: job.ground.replan(*own))
    minutes = round(job.order.for_s / 60)
    return Outcome(Message("done.plan", {"minutes": minutes, "poll": poll_s, "flush": flush_s}))
