"""What cuts others off, and where: found once for all alerts of a network, from the Internet outwards.

A *cut* is an alert that explains others: a link that is down, a device that others are powered by, a radio at
the near end of links, a site of which no device answers, a way out that is down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ayni_core.wire.messages import Alert
from ayni_hub.alerting.ground import Ground

CUT, SILENT, MUTE, NO_WAY_OUT = "link-down", "device-silent", "agent-offline", "upstream-down"
"""The rules whose alerts can explain others."""


class Cut(NamedTuple):
    """The alert, since when it cuts, and the site where the part that it cuts off begins."""

    alert: str
    since: float
    top: str


class Cuts:
    """Of some alerts. `paths` has the cuts on the way to each site, the nearest to the Internet first; `outs`
    those of whole roots; `tops` the sites where the parts begin that an alert cuts off. While any monitor is
    silent, `heard` is when each was last heard, `heard_behind` the newest of that at a site and behind it."""

    def __init__(
        self,
        ground: Ground,
        slack_s: float,
        alerts: Mapping[str, Alert],
        heard: Callable[[str], float | None],
    ) -> None:
        self._ground = ground
        self._slack_s = slack_s
        self._alerts = alerts
        self.down: dict[str, Alert] = {}
        self.silent: dict[str, Alert] = {}
        self.mute: dict[str, Alert] = {}
        self.no_way_out: dict[str, Alert] = {}
        tables = {
            CUT: ("link", self.down),
            SILENT: ("device", self.silent),
            MUTE: ("node", self.mute),
            NO_WAY_OUT: ("upstream", self.no_way_out),
        }
        nothing: tuple[str, dict[str, Alert]] = ("", {})
        for alert in alerts.values():
            kind, table = tables.get(alert.rule, nothing)
            if kind == alert.kind:
                table[alert.name] = alert
        self.heard = {node: heard(node) or 0.0 for node in ground.network.nodes} if self.mute else {}
        self.heard_behind: dict[str, float] = {}
        self.paths: dict[str, tuple[Cut, ...]] = {}
        self.tops: dict[str, set[str]] = {}
        self.outs: dict[str, Cut] = {}
        self._sum_up_heard()
        self._lay_paths()
        self._find_ways_out()

    def _sum_up_heard(self) -> None:
        if not self.mute:
            return
        ground, above = self._ground, self._ground.topology.above
        newest = {
            site: max((self.heard[node] for node in nodes), default=0.0)
            for site, nodes in ground.nodes_at.items()
        }
        for site in reversed(ground.topology.order):
            if site in above and newest[site] > newest[above[site]]:
                newest[above[site]] = newest[site]
        self.heard_behind = newest

    def _lay_paths(self) -> None:
        """The cuts on the way from the Internet to every site, the nearest to the Internet first."""
        topology = self._ground.topology
        paths, tops = self.paths, self.tops
        nothing = not (self.down or self.silent)
        newest = max((alert.since for alert in self._alerts.values()), default=0.0)
        for site in () if nothing else topology.order:
            path: tuple[Cut, ...] = ()
            if site in topology.above:
                path = paths[topology.above[site]]
                if path and path[0].since >= newest - self._slack_s:
                    top = path[0].top
                    if not self.mute or self.heard_behind[top] <= path[0].since:
                        paths[site] = path  # that cut explains all there is behind it
                        continue
                link = topology.parent[site]
                for feeder in self.dead_before(link):
                    path = (*path, Cut(feeder.id, feeder.since, site))
                down = self.down.get(link)
                if down is not None:
                    path = (*path, Cut(down.id, down.since, site))
            dark = self._darkness(site)
            if dark is not None:
                path = (*path, dark)
            paths[site] = path
            for cut in path[len(paths[topology.above[site]]) if site in topology.above else 0 :]:
                tops.setdefault(cut.alert, set()).add(cut.top)

    def dead_before(self, link: str) -> list[Alert]:
        """What a link is dead without, on this side of it: what powers an end, and the end itself."""
        if not self.silent:
            return []
        found: list[Alert] = []
        ground = self._ground
        behind = ground.topology.behind.get(link, frozenset())
        for device in ground.ends[link]:
            for each in (*ground.feeders[device], device):
                dead = self.silent.get(each)
                if dead is not None and not {ground.site_of[each], ground.monitor_site[each]} & behind:
                    found.append(dead)
        return found

    def _darkness(self, site: str) -> Cut | None:
        """A site of which no device answers, since the last one fell silent. Of those that fell silent then
        the one speaks that most hangs on: the way out, what powers others, the end of the link up."""
        ground = self._ground
        devices = ground.devices_at[site]
        if not devices or not self.silent or any(device not in self.silent for device in devices):
            return None
        silent = [self.silent[device] for device in devices]
        since = max(alert.since for alert in silent)
        up = ground.ends.get(ground.topology.parent.get(site, ""), ())
        speaks = min(
            (alert for alert in silent if alert.since >= since - self._slack_s),
            key=lambda each: (
                each.name not in ground.way_out,
                each.name not in ground.feeds,
                each.name not in up,
                each.since,
                each.id,
            ),
        )
        return Cut(speaks.id, since, site)

    def _find_ways_out(self) -> None:
        """Roots of which every way out is down: the alert that fired last speaks."""
        for root, names in self._ground.outs.items() if self.no_way_out else ():
            down = [self.no_way_out[name] for name in names if name in self.no_way_out]
            if len(down) == len(names):
                last = max(down, key=lambda each: (each.since, each.id))
                self.outs[root] = Cut(last.id, last.since, root)
                self.tops.setdefault(last.id, set()).add(root)
