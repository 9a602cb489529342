"""What an onlooker needs to know first of a network: `messages` has all the rest, and these too.

They stand apart because a class takes a millisecond to make, and a console's first screen waits for these
only.
"""

from __future__ import annotations

from dataclasses import dataclass

from ayni_core.message import Message

LINK_STATES = ("down", "weak", "no_news", "unknown", "ok")
"""Worst first: the order of the operator's attention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubState:
    """`hub`, retained: `ready`, `store-down`, `clock-wrong`, or `gone` (its last will).

    `closed` lists buckets that nobody takes in right now: for their nodes it is as if it were `store-down`.
    `restored` names a return from a backup that is `missing_s` old: what was acknowledged since is asked for.
    """

    state: str
    at: float = 0.0
    version: str = ""
    closed: tuple[int, ...] = ()
    restored: str | None = None
    missing_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """`net/community/about`, retained: the network as a whole."""

    title: str
    language: str = "en"
    poll_s: float = 60.0
    training: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndView:
    """What is known of one end of a link. None: not known. `as_of` is when it was measured.

    `site` and `device` are names of the inventory; `group` and `item` say under which series this end hears
    the other.
    """

    site: str
    device: str
    item: str | None = None
    group: str | None = None
    answers: bool | None = None
    signal_dbm: float | None = None
    normal_dbm: float | None = None
    noise_dbm: float | None = None
    chains_dbm: tuple[float, ...] = ()
    tx_rate_bps: float | None = None
    rx_rate_bps: float | None = None
    ccq_pct: float | None = None
    retry_pct: float | None = None
    connected_s: float | None = None
    uptime_s: float | None = None
    voltage_v: float | None = None
    port: str | None = None
    port_speed_bps: float | None = None
    as_of: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """`net/link/LINK`, retained. `state` is one of LINK_STATES; `day` has a letter an hour, oldest first:
    `o` ok, `w` weak, `d` down, `n` no news, `-` nothing known."""

    id: str
    title: str
    state: str
    since: float
    homes: int
    a: EndView
    b: EndView
    cause: Message | None = None
    headline: Message | None = None
    day: str = ""
    next_by: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """`net/node/NODE`, retained: a monitor as the judge sees it; `state` is `ok`, `no_news` or `unknown`."""

    id: str
    title: str
    site: str
    state: str
    since: float
    version: str = ""
    as_of: float | None = None
    next_by: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """`alert/ID`, retained while it lasts; an empty payload ends it.

    `kind` and `name` say what it is about: link, device, node or upstream. `level` is `warn` or `critical`.
    `silenced_by` names the alert that explains this one, for two polls after that has ended, too; it is
    always the root, which counts what it has behind it. Until it is `settled` nobody knows yet whether there
    is such a root. One that comes and goes is called for once more, then it is `flapping` until it was calm,
    whether it `holds` just now or not. `maintenance` names the window that it lies in.
    """

    id: str
    rule: str
    kind: str
    name: str
    level: str
    since: float
    text: Message
    cause: Message | None = None
    headline: Message | None = None
    homes: int = 0
    behind_sites: int = 0
    behind_alerts: int = 0
    silenced_by: str | None = None
    settled: bool = True
    flapping: bool = False
    holds: bool = True
    acked_by: str | None = None
    acked_at: float | None = None
    ack_note: str = ""
    maintenance: str | None = None

    @property
    def calls(self) -> bool:
        """Whether somebody is to be called for it."""
        return (
            self.settled
            and self.silenced_by is None
            and self.maintenance is None
            and self.acked_by is None
            and not self.flapping
        )
