"""Which addresses to ask, in which order and how fast, so that nobody on the way is bothered.

A sweep sends rounds; in a round each address gets one datagram. Rounds begin at least `ROUND_S` apart, so no
device gets more than one packet a second from a sweep (the limit agreed is 20). All together get `RATE`
packets a second: 100 of about 90 octets are 72 kbit/s, which a thin link carries. A /24 in three rounds takes
about 10 s. Neighbouring addresses often stand behind the same link, so a round goes through a range in wide
steps.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from ayni_core.message import Message

MOST = 4096
"""Addresses of a /20: more only for who insists."""

CEILING = 65536
RATE = 100.0
ROUND_S = 1.0
MOST_TO_ONE_PER_S = 20


class RangeError(ValueError):
    """A range that cannot be asked; `message` says why, for a person."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.context)
        self.message = message


def addresses(texts: Iterable[str], *, large: bool = False) -> tuple[str, ...]:
    """The hosts of ranges: `10.0.0.0/24`, `10.0.0.5`, `10.0.0.5-10.0.0.9`, `10.0.0.5-9`, several by commas.

    The network and broadcast addresses of a prefix are left out. Raises `RangeError`, also where there are
    more than `MOST` unless `large`, and above `CEILING` always.
    """
    spans = [_span(part.strip()) for text in texts for part in text.split(",") if part.strip()]
    if not spans:
        raise RangeError(Message("discover.no_range"))
    count = sum(last - first + 1 for first, last in spans)
    if count > CEILING:
        raise RangeError(Message("discover.range_ceiling", {"n": count, "most": CEILING}))
    if count > MOST and not large:
        raise RangeError(Message("discover.range_large", {"n": count, "most": MOST}))
    numbers = dict.fromkeys(number for first, last in spans for number in range(first, last + 1))
    return tuple(str(ipaddress.IPv4Address(number)) for number in numbers)


def in_order(hosts: Sequence[str]) -> list[str]:
    """The order of a round: every sixteenth address, then those behind them, and so on."""
    step = 16
    return [host for offset in range(step) for host in hosts[offset::step]]


def _span(text: str) -> tuple[int, int]:
    """First and last address of one range, as numbers."""
    try:
        if ":" in text:
            ipaddress.ip_network(text, strict=False)
            raise RangeError(Message("discover.range_v6", {"range": text}))
        if "/" in text:
            network = ipaddress.IPv4Network(text, strict=False)
            inner = 0 if network.prefixlen >= 31 else 1
            span = int(network.network_address) + inner, int(network.broadcast_address) - inner
        elif "-" in text:
            begin, _dash, end = (part.strip() for part in text.partition("-"))
            first = ipaddress.IPv4Address(begin)
            if end.isascii() and end.isdecimal():
                end = f"{begin.rpartition('.')[0]}.{end}"
            span = int(first), int(ipaddress.IPv4Address(end))
        else:
            number = int(ipaddress.IPv4Address(text))
            span = number, number
    except RangeError:
        raise
    except ValueError:
        raise RangeError(Message("discover.range_bad", {"range": text[:60]})) from None
    if span[0] > span[1]:
        raise RangeError(Message("discover.range_backwards", {"range": text[:60]}))
    for number in span:
        address = ipaddress.IPv4Address(number)
        if address.is_multicast or address.is_unspecified or int(address) == 0xFFFFFFFF:
            raise RangeError(Message("discover.range_bad", {"range": text[:60]}))
    return span
