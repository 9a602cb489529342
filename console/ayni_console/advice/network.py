"""What is wrong beyond the radios: the provider, the load, addresses, monitors. Faults 15 and 23 to 25."""

from __future__ import annotations

from ayni_console.advice.step import Step, first, verify
from ayni_io.i18n import _


def steps(cause: str) -> tuple[Step, ...]:
    """The steps against a cause of this kind; none for another."""
    match cause:
        case "provider":
            return (
                first("provider", "look"),
                Step("ask", _("Ask: is the bill paid? Is the data plan used up?")),
                Step("ask", _("Call the provider. Say since when, and write down the ticket number.")),
                Step("act", _("Restart the provider's modem once. Do not touch your sites.")),
                verify(),
            )
        case "plan":
            return (
                first("plan", "ask"),
                Step("look", _("Which link or home carries the most? A camera, an update, a film?")),
                Step("ask", _("Ask the community: buy more, or share what is left until the month ends?")),
                Step("act", _("Set fair shares at the gateway; move updates into the night.")),
                verify(),
            )
        case "busy":
            return (
                first(
                    "busy",
                    "look",
                    _("Slow in the evening only, the radios as always: nothing is broken. Do not re-aim."),
                ),
                Step("look", _("Which link or home carries the most? A camera, an update, a film?")),
                Step("ask", _("Ask that home: what runs there? A virus sends day and night.")),
                Step(
                    "act", _("Set fair queues at the gateway; later a faster link or more from the provider.")
                ),
                verify(),
            )
        case "path":
            return (
                first("path", "look"),
                Step(
                    "look",
                    _("All links well? Look at repeats and damaged packets, port by port."),
                    _("A link between trees loses packets when it is wet or windy: press w."),
                ),
                Step("act", _("Ping each hop from the near end: the first one that loses is the place.")),
                Step("ask", _("Lost beyond your own gateway: call the provider.")),
                verify(),
            )
        case "dhcp":
            return (
                Step("ask", _("Ask a home: which address does it have? Ours, or a strange one?")),
                Step("look", _("A strange one: somebody plugged a router in the wrong way round.")),
                Step("look", _("Find its hardware address in the bridge's table, and so its port and home.")),
                Step(
                    "act", _("Unplug it there, or turn it round: its WAN port to us. Restart the homes' own.")
                ),
                verify(),
            )
        case "monitor_silent":
            return (
                first("monitor_silent", "look"),
                Step("ask", _("Call the site: is there power? Is the monitor's lamp on?")),
                Step("act", _("Unplug the monitor for 10 s, plug it in. Wait 3 minutes.")),
                Step(
                    "act",
                    _("Still silent: try another supply and cable, then another card."),
                    _("Nobody climbs for this: the link itself may well work."),
                ),
                verify(),
            )
        case "clock":
            return (
                first("clock", "look"),
                Step("act", _("Name a time server that it reaches: your own gateway, for instance.")),
                Step(
                    "act",
                    _("No way out there: a clock with a battery (RTC) costs little."),
                    _("Nothing is lost: its readings are dated by when they arrive."),
                ),
                verify(),
            )
        case "certificate":
            return (
                first("certificate", "ask"),
                Step(
                    "look",
                    _("There: ayni pki status. Which one ends, and when?"),
                    _("After that day no monitor and no console connects; readings wait at the monitors."),
                ),
                Step(
                    "act",
                    _("There: ayni pki renew-server. Then bring both files to the central."),
                    _("Monitors need nothing new, and nobody has to go to them."),
                ),
                Step(
                    "act",
                    _("At the central: systemctl reload mosquitto. Nobody is cut off by it."),
                ),
                verify(),
            )
        case "backup":
            return (
                first("backup", "look"),
                Step(
                    "act",
                    _("Full: take away what is not ours, or put in a larger one."),
                    _("Old backups go by themselves."),
                ),
                Step("act", _("At the central: systemctl start ayni-hub-backup. It says what is wrong.")),
                verify(),
            )
        case "full":
            return (
                first("full", "look"),
                Step(
                    "act", _("Delete the oldest logs and what nobody needs. Never the outbox of a monitor.")
                ),
                Step("act", _("Keep less: shorter logs, fewer days. Or a larger card.")),
                verify(),
            )
        case "behind":
            return (
                first("behind", "look"),
                Step("ask", _("Tell the homes behind it that you know.")),
                verify(),
            )
    return ()
