"""Ping from the monitor."""

from __future__ import annotations

from ayni_agent.doings.job import Failed, Job, Outcome, Refused
from ayni_core.message import Message
from ayni_io import ping
from ayni_io.ping import Address, PingError


async def do(job: Job) -> Outcome:
    """The device itself, or whatever `target` names."""
    target, address = await where(job)
    count = job.order.count
    times: list[float] = []
    lines: list[str] = []
    try:
        async for echo in ping.ping(address, count=count, size=int(job.order.value)):
            lines.append(f"{echo.number}: {echo.ms:.1f} ms" if echo.ms is not None else f"{echo.number}: -")
            times += [echo.ms] if echo.ms is not None else []
            job.say(echo.number / count, None, (lines[-1],))
    except PingError as error:
        raise Refused("refused.no_tool", node=job.node, cause=str(error)) from None
    if not times:
        raise Failed("failed.no_echo", sent=count, target=target)
    values: dict[str, str | float] = {"received": len(times), "sent": count}
    for name, ms in (("best", min(times)), ("mean", sum(times) / len(times)), ("worst", max(times))):
        values[name] = round(ms, 1)
    return Outcome(Message("done.ping", values), tuple(lines))


async def where(job: Job) -> tuple[str, Address]:
    """What to reach: a name for people, and its address."""
    config = job.access.config(job.device) if job.device else None
    target = job.order.target or (config.host if config is not None else "")
    if not target:
        raise Refused("refused.wants_target", do=job.order.doing.name)
    try:
        return target, await ping.resolve(target)
    except (OSError, UnicodeError):
        raise Failed("failed.name", target=target) from None
