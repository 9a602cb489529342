"""How found devices are shown: a line each, the same in the agent's search and in the offer to add them."""

from __future__ import annotations

from ayni_core.discovery.found import FoundDevice
from ayni_io import netlook
from ayni_io.i18n import _

_WIDTH = 79
_SIGNS = {"open": "●", "denied": "■", "closed": "×", "unknown": "?"}


def line(device: FoundDevice) -> str:
    """One device: sign, address, what it is, and in words how its SNMP is."""
    what = " · ".join(
        part for part in dict.fromkeys((device.name, kind(device), short_version(device.version))) if part
    )
    where = device.address or _("no address")
    whole = f"{_SIGNS[device.snmp]} {where:<15}  {snmp_in_words(device)}" + (f"  {what}" if what else "")
    return whole.rstrip() if len(whole) <= _WIDTH else whole[: _WIDTH - 1] + "…"


def far_away(device: FoundDevice) -> str:
    """What to say of a device that was heard on the cable, but whose address cannot be asked from here, as it
    is with many that come fresh from the factory; else nothing.
    """
    if device.snmp != "unknown" or not device.address or netlook.is_near(device.address):
        return ""
    return _(
        "{title}: its address {address} is in none of this machine's networks; give it one that is",
        title=device.title,
        address=device.address,
    )


def kind(device: FoundDevice) -> str:
    """Maker and model, as short as they come."""
    maker = device.maker if device.maker.casefold() not in device.model.casefold() else ""
    text = " ".join(part for part in (maker, device.model) if part)
    return text if len(text) <= 40 else text[:39] + "…"


def short_version(version: str) -> str:
    """`v8.7.11` out of `WA.ar934x.v8.7.11.46972.220614.0420`, and other versions up to the first blank."""
    words = version.split()
    if not words:
        return ""
    if ".v" in words[0]:
        return "v" + ".".join(words[0].partition(".v")[2].split(".")[:3])
    return words[0][:20]


def snmp_in_words(device: FoundDevice) -> str:
    """How its SNMP is, as wide as the widest."""
    words = {
        "open": _("SNMP answers"),
        "denied": _("SNMP refuses us"),
        "closed": _("no SNMP answer"),
        "unknown": _("not asked"),
    }
    width = max(map(len, words.values()))
    return words[device.snmp].ljust(width)
