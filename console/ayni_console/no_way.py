"""Why there is no way to the broker, in the person's language, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

from ayni_io.i18n import _
from ayni_io.mqtt_trouble import Trouble, Why


def sentence(trouble: Trouble, where: str) -> str:
    """What is wrong, in a sentence; `where` is HOST:PORT."""
    says = _sentences(_).get(trouble.why)
    if says is not None:
        return says.format(where=where)
    if trouble.kind == "lost":
        return _("{where}: the connection broke.", where=where)
    return trouble.text


def advice(why: Why) -> str:
    """What to do about it; empty where nothing better is known than to wait."""
    return _advice(_).get(why, "")


def _sentences(_: Callable[[str], str]) -> dict[Why, str]:
    return {
        "no_name": _("{where}: no machine of that name is known."),
        "no_name_server": _("{where}: nobody answers who knows names (DNS)."),
        "no_route": _("{where}: no way leads there from here."),
        "no_answer": _("{where}: no answer."),
        "nothing_listens": _("{where}: nothing listens there."),
        "hung_up": _("{where}: it hangs up before TLS is agreed."),
        "no_tls": _("{where}: what listens there does not speak TLS."),
        "no_mqtt": _("{where}: what listens there is no broker for MQTT, or wants TLS."),
        "other_version": _("{where}: it speaks another version of MQTT."),
        "other_authority": _("{where}: an authority signed its certificate that is not known here."),
        "other_name": _("{where}: its certificate is for another name."),
        "not_yet_valid": _("{where}: its certificate is not valid yet. One of the two clocks is wrong."),
        "expired": _("{where}: its certificate has expired, or the clock here is wrong."),
        "no_authority": _("{where}: the file with its certificate cannot be used."),
        "password": _("{where}: wrong name or password. (It does not say which.)"),
        "client_name": _("{where}: it does not take the name of this console."),
        "banned": _("{where}: it has banned this console."),
    }


def _advice(_: Callable[[str], str]) -> dict[Why, str]:
    clock = _("Look at the clock here: date. Set it: sudo timedatectl set-ntp true")
    again = _("Ask who set up the central. Then: ayni console --connect")
    return {
        "no_name": _("Is the name spelled right? An address in numbers works, too."),
        "no_name_server": _("Is this machine in the network? An address in numbers works without DNS."),
        "no_route": _("Is this machine in the right network (cable, Wi-Fi, VPN)?"),
        "no_answer": _("Is it switched on, and does a firewall let you through?"),
        "nothing_listens": _("Is the port right, and does the broker run there?"),
        "hung_up": _("Is the port right? With TLS it is mostly 8883."),
        "no_tls": _("Is the port right? With TLS it is mostly 8883."),
        "no_mqtt": _("Is the port right? It is mostly 8883 with TLS, and 1883 on the machine itself."),
        "other_authority": again,
        "other_name": _("Type the name that it is for, or ask who set up the central."),
        "not_yet_valid": clock,
        "expired": clock,
        "no_authority": again,
        "password": _("Both stand where the central is: secrets/p-NAME, or ask who set it up."),
    }
