"""What can be tried: the right repair of a fault, and the one that tempts. Each says what it brought."""

from __future__ import annotations

from dataclasses import dataclass

from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_lab.conditions import Conditions
from ayni_lab.faults import FaultPlan, Place

RESTART_S = 8.0
LOUDER_DB = 3.0

_OFFERS = {
    "power": ("restore", "reboot"),
    "antenna": ("aim", "louder"),
    "interference": ("channel", "aim"),
    "unplugged": ("replug", "swap"),
    "slow_cable": ("cable", "reboot"),
    "dead_device": ("swap", "restore"),
    "upstream": ("call", "reboot"),
}
"""Kind of fault -> (what mends it, what tempts)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPlan:
    """One thing that can be tried somewhere."""

    name: str
    kind: str
    place: Place

    def title(self, network: Network) -> Message:
        """What is done, as an offer."""
        return Message(f"lab.repair.{self.kind}", self.place.words(network))

    def attempt(self, conditions: Conditions, network: Network, now: float) -> Message:
        """Try it: change what it changes, and say what it brought."""
        words = self.place.words(network)
        said = _ATTEMPTS[self.kind](self.place, conditions, now)
        extra = {"gain": round(LOUDER_DB)} if said == "louder" else {}
        return Message(f"lab.said.{said}", {**words, **extra})


def offers(faults: list[FaultPlan], network: Network) -> dict[str, RepairPlan]:
    """What a scenario offers to try: for each fault both, each only once, ordered by name so that the
    order tells nothing."""
    plans: dict[str, RepairPlan] = {}
    for fault in faults:
        for kind in _OFFERS[fault.kind]:
            plan = _plan(kind, fault.place, network)
            plans[plan.name] = plan
    return dict(sorted(plans.items()))


def right_repair(fault: FaultPlan, network: Network) -> RepairPlan:
    """What mends a fault."""
    return _plan(_OFFERS[fault.kind][0], fault.place, network)


def _plan(kind: str, at: Place, network: Network) -> RepairPlan:
    match kind:
        case "restore":
            place, name = Place(site=at.site), f"restore-{at.site}"
        case "aim":
            place, name = Place(site=at.site, link=at.link, end=at.end), f"aim-{at.link}-{at.site}"
        case "louder" | "channel":
            place, name = Place(link=at.link), f"{kind}-{at.link}"
        case "replug" | "cable":
            place, name = Place(device=at.device, port=at.port), f"{kind}-{at.device}-{at.port}"
        case "call":
            place, name = Place(upstream=at.upstream), f"call-{at.upstream}"
        case _:
            device = at.device or next(d.name for d in network.devices.values() if d.site == at.site)
            place = Place(device=device, site=network.devices[device].site)
            name = f"{kind}-{device}"
    return RepairPlan(name=name[:48], kind=kind, place=place)


def _restore(at: Place, conditions: Conditions, _now: float) -> str:
    if at.site not in conditions.dark_sites:
        return "power_was_fine"
    conditions.dark_sites.discard(at.site)
    return "restored"


def _aim(at: Place, conditions: Conditions, _now: float) -> str:
    conditions.louder_db.pop(at.link, None)
    return "aim_was_fine" if conditions.moved_db.pop(at.link, None) is None else "aimed"


def _louder(at: Place, conditions: Conditions, _now: float) -> str:
    if at.link in conditions.louder_db:
        return "louder_already"
    conditions.louder_db[at.link] = LOUDER_DB
    return "louder"


def _channel(at: Place, conditions: Conditions, _now: float) -> str:
    found = [key for key in conditions.noise_db if key[0] == at.link]
    for key in found:
        del conditions.noise_db[key]
    return "channel" if found else "channel_was_fine"


def _replug(at: Place, conditions: Conditions, _now: float) -> str:
    if (at.device, at.port) not in conditions.unplugged:
        return "cable_was_fine"
    conditions.unplugged.discard((at.device, at.port))
    return "replugged"


def _cable(at: Place, conditions: Conditions, _now: float) -> str:
    if (at.device, at.port) not in conditions.slow_ports:
        return "cable_was_fine"
    conditions.slow_ports.discard((at.device, at.port))
    return "new_cable"


def _swap(at: Place, conditions: Conditions, now: float) -> str:
    if at.site not in conditions.dark_sites:
        conditions.restarts[at.device] = now + RESTART_S
    if at.device not in conditions.dead_devices:
        return "swap_was_fine"
    conditions.dead_devices.discard(at.device)
    return "swapped"


def _reboot(at: Place, conditions: Conditions, now: float) -> str:
    if at.device in conditions.dead_devices or at.site in conditions.dark_sites:
        return "no_reaction"
    conditions.restarts[at.device] = now + RESTART_S
    return "rebooted"


def _call(at: Place, conditions: Conditions, _now: float) -> str:
    if at.upstream not in conditions.dead_upstreams:
        return "provider_sees_nothing"
    conditions.dead_upstreams.discard(at.upstream)
    return "provider_mended"


_ATTEMPTS = {
    "restore": _restore,
    "aim": _aim,
    "louder": _louder,
    "channel": _channel,
    "replug": _replug,
    "cable": _cable,
    "swap": _swap,
    "reboot": _reboot,
    "call": _call,
}
