"""Restart a device. It has no way back: whoever asks was told so."""

from __future__ import annotations

from ayni_agent.doings.job import Failed, Job, Outcome, Refused
from ayni_core.message import Message
from ayni_core.oid_notation import parse
from ayni_io.snmp_errors import SnmpError
from ayni_io.snmp_set import SnmpSetRefused

_UPTIME = parse("1.3.6.1.2.1.1.3.0")
_LOOK_S = 5.0
_SLACK = 300
"""Hundredths of a second by which an uptime may lag behind."""
_LEAVES_WITHIN_S, _BACK_WITHIN_S = 120.0, 360.0


async def do(job: Job) -> Outcome:
    """Set what restarts it, once; then wait until it answers again with a young uptime."""
    with job.writing() as writer:
        with job.reading() as reader:
            family, actions = await job.actions(reader)
            if actions.reboot is None:
                raise Refused("refused.no_action", profile=family, device=job.device)
            before = await _uptime(job)
        setting = actions.reboot
        begun = job.clock.now()
        try:
            await writer.set([(setting.oid, setting.tag, setting.value)], tries=1)
        except SnmpSetRefused:
            raise
        except SnmpError:
            pass  # some are gone before they have answered
    job.say(0.1, Message("running.waiting_back", {"device": job.device}), ())
    away, elapsed = False, 0.0
    while elapsed < _BACK_WITHIN_S:
        await job.clock.sleep(_LOOK_S)
        elapsed = job.clock.now() - begun
        now = await _uptime(job)
        if now is None:
            away = True
        elif now < before + elapsed * 100 - _SLACK if before is not None else away:
            return Outcome(Message("done.reboot", {"device": job.device, "seconds": int(elapsed)}))
        elif not away and elapsed > _LEAVES_WITHIN_S:
            raise Failed("failed.no_restart", device=job.device, seconds=int(elapsed))
        job.say(min(0.9, elapsed / _BACK_WITHIN_S), None, ())
    raise Failed("failed.not_back", device=job.device, seconds=int(_BACK_WITHIN_S))


async def _uptime(job: Job) -> int | None:
    """Hundredths of a second, or None while it does not answer. Each time a session of its own: after a
    restart the keys of SNMPv3 are agreed on anew."""
    try:
        with job.reading() as reader:
            ((_oid, _tag, value),) = await reader.get([_UPTIME])
    except SnmpError:
        return None
    return value if isinstance(value, int) else None
