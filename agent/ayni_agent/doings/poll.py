"""Poll now: the device's turn comes at once, and what it says is sent at once."""

from __future__ import annotations

from ayni_agent.doings.job import LONGEST_LINE, Failed, Job, Outcome
from ayni_core.message import Message
from ayni_core.readings import Poll

_WATCH_S = 20.0
_MOST_LINES = 60


async def do(job: Job) -> Outcome:
    """One device, or all of the node one after the other."""
    job.ground.watch(_WATCH_S)
    if job.device:
        poll = await job.ground.poll(job.device)
        if poll.error is not None:
            raise Failed("failed.device", cause=poll.error[:LONGEST_LINE])
        return Outcome(Message("done.poll", {"device": job.device, "n": len(poll.values)}), _lines(poll))
    names = job.access.names()
    answered = 0
    lines = []
    for at, name in enumerate(names):
        job.say(at / len(names), Message("running.polling", {"device": name}), ())
        poll = await job.ground.poll(name)
        answered += poll.error is None
        lines.append(
            f"{name}: {len(poll.values)}" if poll.error is None else f"{name}: {poll.error}"[:LONGEST_LINE]
        )
    text = Message("done.polls", {"n": answered, "total": len(names)})
    return Outcome(text, tuple(lines))


def _lines(poll: Poll) -> tuple[str, ...]:
    rows = [
        f"{series.group}/{series.item}/{series.metric} = {value}"[:LONGEST_LINE]
        for series, value in poll.values.items()
        if value is not None
    ]
    return tuple(rows[:_MOST_LINES])
