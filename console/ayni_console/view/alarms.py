"""Alarms as plain lines: what speaks first, what it explains below it, who has it in hand."""

from __future__ import annotations

from collections.abc import Iterator

from ayni_console.lines import clean
from ayni_core.onlooking import attention
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import Alert
from ayni_io import phrases, words
from ayni_io.i18n import _, _n, say


def roots(model: Model) -> list[Alert]:
    """What is explained by nothing else, the worst first."""
    found = [alert for alert in model.alerts.values() if alert.silenced_by is None]
    return sorted(found, key=lambda alert: (alert.level != "critical", -alert.homes, alert.since, alert.id))


def explained(model: Model, root: str) -> list[Alert]:
    """What one alert explains."""
    found = [alert for alert in model.alerts.values() if alert.silenced_by == root]
    return sorted(found, key=lambda alert: (alert.since, alert.id))


def about(model: Model, wanted: str) -> list[Alert]:
    """The alerts that somebody means by a name: its own, or that of what it is about."""
    if wanted in model.alerts:
        return [model.alerts[wanted]]
    found = [alert for alert in model.alerts.values() if alert.name == wanted]
    return [alert for alert in found if alert.silenced_by is None] or found


def lines(model: Model, now: float, *, whole: bool) -> Iterator[str]:
    """Every root in a few lines; with `whole` what it explains, too."""
    shown = roots(model)
    if not shown:
        yield _("No alarms.")
    for alert in shown:
        yield f"{words.word(attention.alert_state(alert))} {clean(say(alert.text))}"
        yield "  " + "; ".join(_facts(alert, now))
        if alert.ack_note:
            yield "  " + _("note: {text}", text=clean(alert.ack_note))
        yield f"  {alert.id}"
        for child in explained(model, alert.id) if whole else ():
            yield f"    {words.word(attention.alert_state(child))} {clean(say(child.text))}  {child.id}"


def _facts(alert: Alert, now: float) -> Iterator[str]:
    yield _("for {time}", time=words.duration(now - alert.since))
    if alert.homes:
        yield _n("{n} home", "{n} homes", alert.homes)
    if alert.behind_sites:
        yield _n("{n} site is behind it", "{n} sites are behind it", alert.behind_sites)
    if alert.behind_alerts:
        yield _n("it explains {n} more alarm", "it explains {n} more alarms", alert.behind_alerts)
    cause = say(alert.cause)
    if cause:
        yield _("probably {cause}", cause=clean(cause))
    mark = phrases.mark(attention.of_alert(alert))
    if mark:
        yield mark


def as_json(model: Model, now: float) -> list[dict[str, object]]:
    """The same for programs; all of them."""
    return [
        {
            "id": alert.id,
            "rule": alert.rule,
            "kind": alert.kind,
            "name": alert.name,
            "level": alert.level,
            "state": attention.alert_state(alert),
            "since": alert.since,
            "for_s": round(max(now - alert.since, 0.0), 1),
            "text": say(alert.text),
            "cause": say(alert.cause),
            "homes": alert.homes,
            "behind_sites": alert.behind_sites,
            "behind_alerts": alert.behind_alerts,
            "silenced_by": alert.silenced_by,
            "calls": alert.calls,
            "flapping": alert.flapping,
            "acked_by": alert.acked_by,
            "acked_at": alert.acked_at,
            "note": alert.ack_note,
            "maintenance": alert.maintenance,
        }
        for alert in sorted(model.alerts.values(), key=lambda each: each.silenced_by is not None)
    ]
