"""How long what is kept: the `retain:` section of hub.yaml. Defaults live here."""

from __future__ import annotations

from dataclasses import dataclass

from ayni_core.schema import Fields

DAY_S = 86_400.0
_MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Days. `samples_days`: every sample; `steps_days`: what they were in steps of five minutes; `long_days`:
    the same in steps of an hour and of a day; `events_days`: what happened, and the notebook."""

    samples_days: int = 30
    steps_days: int = 365
    long_days: int = 3650
    events_days: int = 1095

    @property
    def samples_s(self) -> float:
        """Seconds that a sample is kept."""
        return self.samples_days * DAY_S

    @property
    def events_s(self) -> float:
        """Seconds that an event is kept."""
        return self.events_days * DAY_S


DEFAULT = Retention()


def read_retention(fields: Fields) -> Retention:
    """Read the section; what is summed up lives at least as long as what it is made of."""
    days = {
        key: fields.number(key, getattr(DEFAULT, key), at_least=1, at_most=_MOST_DAYS, whole=True)
        for key in ("samples_days", "steps_days", "long_days", "events_days")
    }
    fields.done()
    for longer, shorter in (("steps_days", "samples_days"), ("long_days", "steps_days")):
        if days[longer] < days[shorter]:
            if longer in fields:
                fields.fault(
                    longer, "fault.at_least_other", other=shorter, least=days[shorter], got=days[longer]
                )
            days[longer] = days[shorter]
    return Retention(**days)
