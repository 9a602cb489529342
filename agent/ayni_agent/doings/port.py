"""Set a port up or down, with a way back."""

from __future__ import annotations

from ayni_agent.doings.job import Failed, Job, Outcome, Refused
from ayni_agent.doings.rows import find_row, leads_to_us
from ayni_core.message import Message
from ayni_core.oid_notation import index_body
from ayni_core.profile import Switch


async def do(job: Job) -> Outcome:
    """Undone unless the hub confirms that it still hears us."""
    item, value = job.order.item, job.order.value
    values = {"item": item, "device": job.device, "value": value}
    with job.writing() as writer:
        with job.reading() as reader:
            switch = await find_switch(job, "port")
            index = await find_row(reader, job.device, switch, item)
            oid = switch.column + index_body(index)
            ((_oid, tag, before),) = await writer.get([oid])
            wanted = switch.on if value == "up" else switch.off
            if before == wanted:
                return Outcome(Message("done.port_already", values))
            if before is None:
                raise Failed("failed.not_taken", device=job.device)
            await refuse_own_port(job, index, switch)

        async def act() -> None:
            await writer.set([(oid, switch.tag, wanted)])
            ((_oid, _tag, now),) = await writer.get([oid])
            if now != wanted:
                raise Failed("failed.not_taken", device=job.device)

        await job.guard.guarded(
            job.undo(item, (oid, tag, before)),
            act,
            window_s=job.order.for_s,
            probation=job.probation,
        )
    return Outcome(Message("done.port", values))


async def find_switch(job: Job, kind: str) -> Switch:
    """What the profile says about ports, or their power. Raises `Refused`."""
    with job.reading() as reader:
        family, actions = await job.actions(reader)
    switch = actions.port if kind == "port" else actions.poe
    if switch is None:
        raise Refused("refused.no_action", profile=family, device=job.device)
    return switch


async def refuse_own_port(job: Job, index: tuple[int, ...], switch: Switch) -> None:
    """Raise `Refused` where this monitor hangs on the port itself: no undo would reach the device."""
    config = job.access.config(job.device)
    with job.reading() as reader:
        if config is not None and await leads_to_us(reader, config.host, index, switch):
            raise Refused("refused.own_port", item=job.order.item, device=job.device)
