"""How links, sites, devices, monitors and ways out are, as numbers: what the judge says, out of the picture.

A state is a number from worst (0) to best; `unknown` and `no_news` lie between, because a graph of them
should not look like an outage. Names begin with `ayni_net_`, as the judge's topics do with `net/`. Both ends
of a link stand under the link's name, with what is normal for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ayni_core.wire.messages import DeviceView, EndView, LinkView, NodeView, SiteView, UpstreamView
from ayni_hub.numbers.exposition import Family, Rows, labels

View = LinkView | SiteView | DeviceView | NodeView | UpstreamView
NUMBERS: Mapping[str, int] = {"down": 0, "silent": 0, "weak": 1, "no_news": 2, "unknown": 3, "ok": 4}
WORDS = {
    "link": ("down", "weak", "no_news", "unknown", "ok"),
    "site": ("down", "weak", "no_news", "unknown", "ok"),
    "device": ("silent", "no_news", "unknown", "ok"),
    "node": ("no_news", "unknown", "ok"),
    "upstream": ("down", "unknown", "ok"),
}
BASELINES = ("reference", "last_week")
"""What is worked out of the store, besides what the inventory expects."""
_ENDS = (
    ("signal_dbm", "dbm", "how loud this end hears the other"),
    ("normal_dbm", "dbm", "how loud this end should hear the other"),
    ("noise_dbm", "dbm", "background noise at this end"),
    ("tx_rate_bps", "bps", "modulation rate towards the other end"),
    ("rx_rate_bps", "bps", "modulation rate from the other end"),
    ("ccq_pct", "pct", "client connection quality at this end"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What is normal for an end of a link by one of BASELINES, in dBm."""

    link: str
    side: str
    end: EndView
    baseline: str
    value: float


def families(views: Iterable[View], baselines: Iterable[Baseline] = ()) -> list[tuple[Family, Rows]]:
    """States, since when, who is behind, what is measured at the ends of links, and what devices are."""
    by_kind: dict[str, list[View]] = {kind: [] for kind in WORDS}
    for view in views:
        by_kind[kind_of(view)].append(view)
    found: list[tuple[Family, Rows]] = []
    for kind in WORDS:
        found += _of_kind(kind, by_kind[kind])
    links = [view for view in by_kind["link"] if isinstance(view, LinkView)]
    sites = [view for view in by_kind["site"] if isinstance(view, SiteView)]
    homes = [(f'link="{view.id}"', view.homes) for view in links]
    found.append((_gauge("link_homes", "homes that reach the Internet through this link"), homes))
    lived = [(f'site="{view.id}"', view.homes) for view in sites]
    found.append((_gauge("site_homes", "homes served at this site"), lived))
    devices = [view for view in by_kind["device"] if isinstance(view, DeviceView)]
    return [*found, *_ends(links), _baselines(baselines), _devices(devices)]


def kind_of(view: View) -> str:
    """link, site, device, node or upstream."""
    return type(view).__name__.removesuffix("View").lower()


def _of_kind(kind: str, views: Sequence[View]) -> list[tuple[Family, Rows]]:
    meaning = ", ".join(f"{NUMBERS[word]} {word}" for word in WORDS[kind])
    thing = "monitor" if kind == "node" else kind
    marks = [_marks(kind, view) for view in views]
    states = [(mark, NUMBERS.get(view.state, 3)) for mark, view in zip(marks, views, strict=True)]
    found: list[tuple[Family, Rows]] = [(_gauge(f"{kind}_state", f"state of a {thing}: {meaning}"), states)]
    since = [
        (mark, view.since) for mark, view in zip(marks, views, strict=True) if not isinstance(view, SiteView)
    ]
    if kind != "site":
        name = f"{kind}_state_since_timestamp_seconds"
        found.append((_gauge(name, f"when a {thing} came into its state", "seconds"), since))
    if kind in ("device", "node"):
        heard = [
            (mark, view.as_of)
            for mark, view in zip(marks, views, strict=True)
            if isinstance(view, DeviceView | NodeView) and view.as_of is not None
        ]
        name = f"{kind}_as_of_timestamp_seconds"
        found.append((_gauge(name, f"time of the newest reading of a {thing}", "seconds"), heard))
    return found


def _marks(kind: str, view: View) -> str:
    if isinstance(view, LinkView):
        return labels(link=view.id, title=view.title, site_a=view.a.site, site_b=view.b.site)
    if isinstance(view, SiteView):
        return labels(site=view.id, title=view.title, power=view.power)
    if isinstance(view, DeviceView):
        return labels(site=view.site, node=view.node, device=view.id, title=view.title)
    return labels(**{"site": view.site, kind: view.id, "title": view.title})


def _ends(links: Sequence[LinkView]) -> list[tuple[Family, Rows]]:
    """What is older than a link's news is not shown; its monitor speaks, or nothing does."""
    ends = [
        (labels(link=link.id, end=side, site=end.site, device=end.device), end)
        for link in links
        if link.state not in ("no_news", "unknown")
        for side, end in (("a", link.a), ("b", link.b))
    ]
    return [(_gauge(f"link_{name}", text, unit), _of_ends(name, ends)) for name, unit, text in _ENDS]


def _of_ends(name: str, ends: Sequence[tuple[str, EndView]]) -> Rows:
    for mark, end in ends:
        value = getattr(end, name)
        if value is not None and (end.answers or name == "normal_dbm"):
            yield mark, value


def _baselines(baselines: Iterable[Baseline]) -> tuple[Family, Rows]:
    text = "how loud an end heard the other when the link was new (reference), and a week ago (last_week)"
    rows = [
        (
            labels(link=b.link, end=b.side, site=b.end.site, device=b.end.device, baseline=b.baseline),
            b.value,
        )
        for b in baselines
    ]
    return _gauge("link_baseline_dbm", text, "dbm"), rows


def _devices(views: Sequence[DeviceView]) -> tuple[Family, Rows]:
    family = Family(name="ayni_net_device", kind="info", help="what a device is")
    rows = [
        (
            labels(
                site=view.site,
                node=view.node,
                device=view.id,
                profile=view.profile or "",
                model=view.model or "",
                version=view.version or "",
            ),
            1,
        )
        for view in views
    ]
    return family, rows


def _gauge(name: str, text: str, unit: str = "") -> Family:
    return Family(name=f"ayni_net_{name}", kind="gauge", help=text, unit=unit)
