"""Switch the power of a port off and on again. Switching on is the undo: it is written down before."""

from __future__ import annotations

from ayni_agent.doings.job import Job, Outcome, Refused
from ayni_agent.doings.port import find_switch, refuse_own_port
from ayni_agent.doings.rows import find_row
from ayni_core.message import Message
from ayni_core.oid_notation import index_body
from ayni_io.snmp_set import SnmpSetRefused


async def do(job: Job) -> Outcome:
    """Off, a pause, on: and on again and again until it is on."""
    item, seconds = job.order.item, job.order.for_s
    with job.writing() as writer:
        switch = await find_switch(job, "poe")
        with job.reading() as reader:
            index = await find_row(reader, job.device, switch, item)
        await refuse_own_port(job, index, switch)
        oid = switch.column + index_body(index)
        ((_oid, _tag, before),) = await writer.get([oid])
        if before != switch.on:
            raise Refused("refused.poe_off", item=item, device=job.device)
        undo = job.undo(item, (oid, switch.tag, switch.on))
        job.guard.keep(undo)
        try:
            await writer.set([(oid, switch.tag, switch.off)])
        except SnmpSetRefused:
            job.guard.settle(undo)
            raise
        job.say(0.5, Message("running.waiting_off", {"seconds": int(seconds)}), ())
        await job.clock.sleep(seconds)
        await job.guard.undo(undo, job.undoing)
    return Outcome(Message("done.poe", {"item": item, "device": job.device, "seconds": int(seconds)}))
