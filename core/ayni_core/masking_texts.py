"""Texts that others may read: names become stand-ins, what is harmless stays, the rest is covered.

What a vendor's object means is not known when a device is recorded, so its texts are covered unless they are
plainly harmless: numbers, versions, words that the device says of its own kind, words of every device.
"""

from __future__ import annotations

import re
from collections import Counter
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from ayni_core.convert import as_mac
from ayni_core.masking_addresses import Addresses, is_address, is_private
from ayni_core.snmp import OCTET_STRING

_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_MAC = re.compile(
    r"(?<![0-9A-Fa-f:.-])[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![0-9A-Fa-f:-])"
)
_IP4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)")
_IP6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_SECRET = re.compile(
    r"(?i)\b(\w*(?:passw(?:or)?d|passphrase|psk|secret|community|token|api[-_]?key|wpa[-_]?key)\w*)(\s*[=:]\s*)(\S+)"
)
LONG_NUMBER = 10
"""Digits in a row that count nothing any more: the number of a thing, a card or a person."""
SHORTEST_KNOWN = 7
"""Digits that are looked for in other texts, too, where they are known to be a number of that kind."""
_LONG_NUMBER = re.compile(rf"\d{{{LONG_NUMBER},}}")
_MOBILE = re.compile(
    r"(?i)(?<!\w)(?:(?P<label>imei(?:sv)?|imsi|meid|u?icc(?:id)?|ccid|msisdn|mdn|phone|tel)(?P<between>[\s:=#.]{1,4})"
    r"(?P<said>\+?\d[\d ()/-]{4,}\d)|(?P<imei>\d\d-\d{6}-\d{6}-\d\d?)|(?P<phone>\+\d[\d ()/-]{5,}\d))(?!\w)"
)
_NUMBER = re.compile(
    r"[-+<>~]?\d{1,9}(?:[.,]\d{1,3})?(?:e[-+]?\d+)?\s?"
    r"(?:dBm|dBi|dB|[km]?V|m?A|m?W|VA|°?[CF]|%|[kMG]?Hz|[kMG]?bps|[kMG]b(?:it)?/s|[km]?m|ms|s|min|h|[kMG]i?B|rpm)?"
)
_VERSION = re.compile(r"(?i)(?:v|ver\.?|version|fw|firmware)?\s?\d+(?:\.\d+){1,4}[-_+.\w]{0,16}")
_TIME = re.compile(r"(?:\d{4}-\d\d-\d\d[T ]|\d{1,5} ?d(?:ays?)?,? ?)?\d{1,3}:\d\d(?::\d\d(?:\.\d+)?)?Z?")
_KIND_OF_PORT = (
    r"(?:[kmg]?igabit|fast|ten)?-?(?:eth(?:er(?:net)?)?|wlan|wifi|ath|radio|rai?|br(?:idge)?|lo(?:opback)?|lan|wan"
    r"|vlan|ppp(?:oe)?(?:-out|-in)?|tun|tap|sfp(?:plus)?|usb|lte|wwan|bond(?:ing)?|gre|ipip|eoip|l2tp|ovpn|wg"
    r"|wireguard|port|slot|gi|fa|te|eno|enp\d+s|enx|mgmt|man(?:agement)?|prs|phy|cpu|switch|null|sit|dummy|ifb"
    r"|mesh|adhoc|bat|tinc|team|g?pon|swp|ge|xe|fe|mlan|apcli)"
)
_PORT = re.compile(rf"(?i){_KIND_OF_PORT}(?:[-_ ./:]?(?:\d+|{_KIND_OF_PORT}(?![a-z])))*")
_WORDS = frozenset(
    """a access active ap associated auto backup battery bit bits board bridge bypass cable charging
    client closed connected cpu critical current dc default detected device disabled disconnected
    discharging down dynamic enable enabled error ethernet external failed failure false fan fault
    fixed float floating full gps good half high idle inactive input internal invalid link linux
    local low mains manual master memory missing n na negotiating no no_link none normal not ntp off
    offline ok on online open operational output p2p passive poe point power present ptmp ptp radio
    ready registered remote repeater router rx safe searching sensor slave standby state static
    station status supply sync synced synchronized temperature test true tx unknown unlocked up utc
    valid voltage warning wds wireless wpa wpa2 wpa3 yes 802 11a 11b 11g 11n 11ac 11ax ht20 ht40
    vht20 vht40 vht80 bpsk qpsk 16qam 64qam 256qam 1024qam qam""".split()  # noqa: SIM905  one word a line would fill pages
)
_KERNEL = re.compile(r"^Linux (\S+) (?=\d+\.\d+)")


class Texts:
    """The stand-ins given so far: "ssid-1", "name-2". `counts` tells how many of each sort there are."""

    def __init__(self, addresses: Addresses, description: str = "") -> None:
        self.counts: Counter[str] = Counter()
        self._addresses = addresses
        self._known: dict[str, str] = {}
        node = _KERNEL.match(description)  # uname -a: the second word is the name of the machine
        if node:
            self.hidden(node[1], "name")
        self._names: re.Pattern[str] | None = None
        self._description = description
        self._own_words: frozenset[str] = frozenset()

    def hidden(self, text: str, sort: str) -> str:
        """The stand-in of a text, whatever it says; "" stays "". The first sort that a text got counts."""
        key = text.strip().casefold()
        if not key:
            return text
        if key not in self._known:
            self.counts[sort] += 1
            self._known[key] = f"{sort}-{self.counts[sort]}"
        return self._known[key]

    def learnt(self) -> None:
        """All names have been seen: from now on they are found inside of other texts too."""
        names = [
            key
            for key in self._known
            if len(key) >= (SHORTEST_KNOWN if key.isdecimal() else 4) and key not in _WORDS
        ]
        if names:
            choices = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
            self._names = re.compile(rf"(?i)(?<!\w)(?:{choices})(?!\w)")
        self._own_words = frozenset(_words(self.shown(self._description, own=True)))

    def shown(self, text: str, *, own: bool = False) -> str:
        """A text with the names, addresses and secrets in it replaced. `own`: it says what the device is,
        so four numbers are a version rather than an address.
        """
        mac = as_mac(OCTET_STRING, text.encode()) if len(text) > 6 and not text.isdecimal() else None
        if mac:
            return self._whole_mac(text, mac)
        text = _SECRET.sub(lambda found: found[1] + found[2] + self.hidden(found[3], "secret"), text)
        text = _MAIL.sub(self._mail, text)
        text = _MAC.sub(self._mac, text)
        if "." in text:
            text = _IP4.sub(lambda found: self._ip4(found[0], own=own), text)
        if text.count(":") > 1:
            text = _IP6.sub(lambda found: self._ip6(found[0]), text)
        if self._names is not None:
            text = self._names.sub(lambda found: self._known[found[0].casefold()], text)
        text = _MOBILE.sub(self._mobile, text)
        return _LONG_NUMBER.sub(lambda found: self.hidden(found[0], "serial"), text)

    def port(self, text: str) -> str:
        """The name of an interface: what every device of the kind has stays, what somebody added goes."""
        shown = self.shown(text)
        found = _PORT.match(shown)
        if not text.strip() or shown != text or (found and found[0] == text):
            return shown
        if found and len(found[0]) >= 3:
            return f"{found[0]}-{self.hidden(text, 'name')}"
        return self.hidden(text, "name")

    def vendors(self, text: str) -> str:
        """A text of unknown meaning: as it is where it is plainly harmless, else covered."""
        shown = self.shown(text)
        return shown if shown != text or self.harmless(text) else self.hidden(text, "text")

    def harmless(self, text: str) -> bool:
        """Whether a text is a number, a version, a time, or words that many devices say."""
        bare = text.strip()
        if len(bare) < 2 or any(each.fullmatch(bare) for each in (_NUMBER, _VERSION, _TIME, _PORT)):
            return True
        words = _words(bare)
        said = [word for word in words if not (word.isdecimal() and len(word) <= 4)]
        # Bare groups of digits may be a telephone number.
        return all(word in _WORDS or word in self._own_words for word in said) and bool(said or not words)

    def _mail(self, found: re.Match[str]) -> str:
        return self.hidden(found[0], "person") + "@example.org"

    def _mobile(self, found: re.Match[str]) -> str:
        """The number of a modem, a SIM card or a telephone, however it is written."""
        number = found["said"] or found["imei"] or found["phone"]
        label = (found["label"] or "").casefold()
        is_phone = found["phone"] or label in ("msisdn", "mdn", "phone", "tel")
        shown = self.hidden(re.sub(r"\D", "", number), "contact" if is_phone else "serial")
        return f"{found['label'] or ''}{found['between'] or ''}{shown}"

    def _mac(self, found: re.Match[str]) -> str:
        masked = self._addresses.mac(bytes.fromhex(found[0].replace(found[1], ""))).hex(found[1])
        return masked.upper() if found[0] == found[0].upper() else masked

    def _whole_mac(self, text: str, mac: str) -> str:
        """A text that is a hardware address and nothing else, whatever stands between its digits."""
        masked = self._addresses.mac(bytes.fromhex(mac)).hex()
        masked = masked.upper() if text == text.upper() else masked
        between: list[str] = re.findall("[^0-9A-Fa-f]", text)
        if not between:
            return masked
        width = 4 if len(between) == 2 else 2
        return between[0].join(masked[at : at + width] for at in range(0, 12, width))

    def _ip4(self, text: str, *, own: bool) -> str:
        try:
            octets = IPv4Address(text).packed
        except AddressValueError:
            return text
        if not is_address(octets) or (own and octets not in self._addresses.ips and not is_private(octets)):
            return text
        return str(IPv4Address(self._addresses.ip4(octets)))

    def _ip6(self, text: str) -> str:
        try:
            return str(IPv6Address(self._addresses.ip6(IPv6Address(text).packed)))
        except AddressValueError:
            return text


def _words(text: str) -> list[str]:
    return [word.casefold() for word in re.findall(r"\w+", text)]
