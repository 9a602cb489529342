"""Both ends of a link side by side: a table of measures in plain words, with what is normal for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ayni_core.wire.messages import EndView, LinkView
from ayni_io import words
from ayni_io.i18n import _
from ayni_io.phrases import rate

SIDES = ("a", "b")
_INSTEAD = {"ccq_pct": "retry_pct", "uptime_s": "connected_s"}
"""Numbers that say less than another one: left out where that one is given."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table: a metric, its value at each end, and how a change of it is judged."""

    metric: str
    label: str
    a: str
    b: str
    normal: tuple[str, str] = ("", "")
    trend: tuple[str, str] = ("", "")


def measures(link: LinkView, usual: Mapping[tuple[str, str], float]) -> list[Measure]:
    """The lines of the table; what neither end gives is left out, the signal never is."""
    a, b = link.a, link.b
    made = [
        _measure("signal_dbm", _("hears"), a.signal_dbm, b.signal_dbm, "dBm",
                 {"a": a.normal_dbm, "b": b.normal_dbm}, 3),
        _measure("noise_dbm", _("noise"), a.noise_dbm, b.noise_dbm, "dBm", _of(usual, "noise_dbm"), 3),
        _chains(a, b),
        _rates(a, b, _of(usual, "tx_rate_bps")),
        _measure("retry_pct", _("repeats"), a.retry_pct, b.retry_pct, "%", _of(usual, "retry_pct"), 5),
        _measure("ccq_pct", _("quality"), a.ccq_pct, b.ccq_pct, "%", _of(usual, "ccq_pct"), 10),
        _words("connected_s", _("up since"), _span(a.connected_s), _span(b.connected_s)),
        _words("uptime_s", _("runs for"), _span(a.uptime_s), _span(b.uptime_s)),
        _words("voltage_v", _("power"), *(words.number(end.voltage_v, 1, "V") for end in (a, b))),
        _words("speed_bps", _("cable"), *(_cable(end) for end in (a, b))),
    ]  # fmt: skip
    given = [each for each in made if each.metric == "signal_dbm" or {each.a, each.b} != {"--"}]
    there = {each.metric for each in given}
    return [each for each in given if _INSTEAD.get(each.metric) not in there]


def _of(usual: Mapping[tuple[str, str], float], metric: str) -> dict[str, float | None]:
    return {side: usual.get((side, metric)) for side in SIDES}


def _measure(
    metric: str, label: str, a: float | None, b: float | None, unit: str,
    normal: Mapping[str, float | None], even: float,
) -> Measure:  # fmt: skip
    return Measure(
        metric, label, words.number(a, 0, unit), words.number(b, 0, unit),
        (words.number(normal["a"]), words.number(normal["b"])),
        (trend(a, normal["a"], even), trend(b, normal["b"], even)),
    )  # fmt: skip


def _rates(a: EndView, b: EndView, usual: Mapping[str, float | None]) -> Measure:
    def near(side: str, value: float | None) -> str:
        normal = usual[side]
        if value is None or not normal:
            return ""
        return "=" if 0.7 <= value / normal <= 1.4 else "↓" if value < normal else "↑"

    def shown(end: EndView) -> str:
        return "--" if end.tx_rate_bps is None else _("{n} Mb/s", n=rate(end.tx_rate_bps))

    return Measure(
        "tx_rate_bps", _("rate"), shown(a), shown(b), (rate(usual["a"]), rate(usual["b"])),
        (near("a", a.tx_rate_bps), near("b", b.tx_rate_bps)),
    )  # fmt: skip


def _chains(a: EndView, b: EndView) -> Measure:
    def shown(end: EndView) -> str:
        return "/".join(words.number(chain) for chain in end.chains_dbm) or "--"

    def judged(end: EndView) -> str:
        if len(end.chains_dbm) < 2:
            return ""
        apart = max(end.chains_dbm) - min(end.chains_dbm)
        return "=" if apart <= 5 else _("{n} dB apart", n=words.number(apart))

    even = _("even")
    return Measure("signal_chain_dbm", _("H/V"), shown(a), shown(b), (even, even), (judged(a), judged(b)))


def _words(metric: str, label: str, a: str, b: str) -> Measure:
    return Measure(metric, label, a, b)


def _span(seconds: float | None) -> str:
    return words.duration(seconds)


def _cable(end: EndView) -> str:
    if end.port_speed_bps is None:
        return "--"
    return f"{end.port or ''} {rate(end.port_speed_bps)}".strip()


def trend(value: float | None, normal: float | None, even: float) -> str:
    """`=` within `even` of normal, else which way and how far: `↓12`."""
    if value is None or normal is None:
        return ""
    away = value - normal
    if abs(away) <= even:
        return "="
    return f"{'↑' if away > 0 else '↓'}{words.number(abs(away))}"
