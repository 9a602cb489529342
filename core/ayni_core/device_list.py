"""Lists of devices that others keep: a table (CSV), or the devices of a UISP (JSON). Every fault at once.

A table has one device a line below a head; `COLUMNS` says which columns there may be, in any order. Commas,
semicolons or tabs part them, as the head shows. UISP's list is what it answers at `/v2.1/devices`.
"""

from __future__ import annotations

import csv
import io
import ipaddress
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ayni_core.address import split_address
from ayni_core.fault import ConfigError, Fault, UnfitError, fault, phrase
from ayni_core.message import Phrase, Plain
from ayni_core.schema import NAME, did_you_mean
from ayni_core.snmpaccess import VERSIONS
from ayni_core.usm_keys import AUTH_PROTOCOLS, PRIV_PROTOCOLS

COLUMNS = (
    "title", "name", "site", "node", "address", "version", "community_file",
    "user", "auth_protocol", "auth_file", "priv_protocol", "priv_file",
    "profile", "link_to", "expected_dbm", "frequency_mhz",
)  # fmt: skip

MOST_ROWS = 5000
_MOST_FAULTS = 100
_SEPARATORS = ",;\t"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One device of a list. `line` and `cell` say where it stands, for faults. Empty: not given."""

    line: int
    address: str
    title: str = ""
    name: str = ""
    site: str = ""
    node: str = ""
    version: str = ""
    community_file: str = ""
    user: str = ""
    auth_protocol: str = ""
    auth_file: str = ""
    priv_protocol: str = ""
    priv_file: str = ""
    profile: str = ""
    link_to: str = ""
    expected_dbm: float | None = None
    frequency_mhz: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceList:
    """The devices, and in words which ones the list has without an address."""

    devices: tuple[Listed, ...]
    without_address: tuple[str, ...] = ()


class Places:
    """Collects faults as `FILE:LINE: COLUMN: what`; stops when there are too many to read."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._found: list[Fault] = []

    def add(self, line: int, column: str, context: str | Phrase, /, **values: Plain | Phrase) -> None:
        """Note a fault of one cell; of the line where no column is named."""
        if len(self._found) < _MOST_FAULTS:
            where = f"{self._source}:{line}"
            self._found.append(Fault(f"{where}: {column}" if column else where, phrase(context, **values)))

    def stop(self) -> None:
        """Raise `ConfigError` with all faults, if there are any."""
        if self._found:
            raise ConfigError(self._found)


def read_list(text: str, source: str) -> DeviceList:
    """A list of either kind: one that begins with `[` is JSON. Raises `ConfigError` with every fault."""
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] in ("[", "{"):
        return read_uisp(text, source)
    return read_table(text, source)


def read_table(text: str, source: str) -> DeviceList:
    """A table. Raises `ConfigError` with every fault, by line and column."""
    head, _newline, _rest = text.partition("\n")
    separator = max(_SEPARATORS, key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    places = Places(source)
    found: list[Listed] = []
    try:
        columns = _columns(next(rows, []), places)
        line = rows.line_num + 1
        for row in rows:
            cells = [cell.strip() for cell in row]
            if any(cells) and not cells[0].startswith("#"):
                if len(found) == MOST_ROWS:
                    raise ConfigError([fault(f"{source}:{line}", "fault.many_devices", most=MOST_ROWS)])
                found.append(_row(columns, cells, line, places))
            line = rows.line_num + 1
    except csv.Error as error:
        places.add(rows.line_num, "", "fault.csv", cause=str(error))
    places.stop()
    if not found:
        raise ConfigError([fault(source, "fault.list_empty")])
    return DeviceList(devices=tuple(found))


def _columns(head: Iterable[str], places: Places) -> list[str]:
    columns = [cell.strip().casefold().replace(" ", "_") for cell in head]
    for column in columns:
        if column and column not in COLUMNS:
            places.add(1, column[:40], "fault.column", hint=did_you_mean(column, COLUMNS))
        if column and columns.count(column) > 1:
            places.add(1, column[:40], "fault.stands_twice", name=column[:40])
    if "address" not in columns:
        places.add(1, "address", "fault.missing", wanted=Phrase("word.head"))
    places.stop()
    return columns


def _row(columns: list[str], cells: list[str], line: int, places: Places) -> Listed:
    given = dict(zip(columns, cells, strict=False))
    if any(cells[len(columns) :]):
        places.add(line, "", "fault.cells", n=len(cells), most=len(columns))
    given.pop("", None)
    numbers = {
        "expected_dbm": _number(given, "expected_dbm", -120, 0, line, places),
        "frequency_mhz": _number(given, "frequency_mhz", 30, 300000, line, places),
    }
    texts = {key: value for key, value in given.items() if key not in numbers and key in COLUMNS}
    for key, value in texts.items():
        if not value.isprintable() or len(value) > 200:
            places.add(line, key, "fault.printable", most=200)
            texts[key] = ""
    device = Listed(line=line, **{"address": "", **texts}, **numbers)  # type: ignore[arg-type]
    check(device, places)
    return device


def _number(
    given: Mapping[str, str], column: str, least: float, most: float, line: int, places: Places
) -> float | None:
    text = given.get(column, "")
    if not text:
        return None
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        places.add(
            line, column, "fault.number_between", given=text[:40], least=f"{least:g}", most=f"{most:g}"
        )
        return None
    return int(number) if number.is_integer() else number


def check(device: Listed, places: Places) -> None:
    """Note what is wrong with one device by itself."""
    line = device.line
    if not device.address:
        places.add(line, "address", "fault.missing", wanted=Phrase("word.host"))
    else:
        try:
            host, _port = split_address(device.address)
            if re.fullmatch(r"[0-9.]+", host):
                ipaddress.IPv4Address(host)
        except UnfitError as error:
            places.add(line, "address", error.what)
        except ValueError:
            places.add(line, "address", "fault.no_address", given=device.address)
    if device.name and not NAME.fullmatch(device.name):
        places.add(line, "name", "fault.name", given=device.name)
    if device.version and device.version not in VERSIONS:
        places.add(line, "version", "fault.said_expected", given=device.version, wanted=", ".join(VERSIONS))
    v3 = device.version == "3"
    for column in ("user", "auth_protocol", "auth_file", "priv_protocol", "priv_file"):
        if getattr(device, column) and not v3:
            places.add(line, column, "fault.column_of_v3")
    if v3 and device.community_file:
        places.add(line, "community_file", "fault.belongs_to_v2")
    for column, known in (("auth_protocol", tuple(AUTH_PROTOCOLS)), ("priv_protocol", PRIV_PROTOCOLS)):
        value = getattr(device, column)
        if value and value not in known:
            places.add(line, column, "fault.value", given=value, hint=did_you_mean(value, known))
    if device.priv_file and not device.auth_file:
        places.add(line, "priv_file", "fault.needs", other="auth_file")
    for column in ("expected_dbm", "frequency_mhz"):
        if getattr(device, column) is not None and not device.link_to:
            places.add(line, column, "fault.belongs_to_link")


# ---- UISP


def read_uisp(text: str, source: str) -> DeviceList:
    """UISP's devices: identification, ipAddress, for stations attributes.apDevice. Raises `ConfigError`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        cause = getattr(error, "msg", "") or Phrase("word.nested_deep")
        raise ConfigError([fault(f"{source}:{line}", "fault.json", cause=cause)]) from None
    if not isinstance(value, list):
        raise ConfigError([fault(source, "fault.expected", wanted=Phrase("word.uisp_list"))])
    if len(value) > MOST_ROWS:
        raise ConfigError([fault(source, "fault.many_devices", most=MOST_ROWS)])
    places = Places(source)
    found: list[Listed] = []
    without: list[str] = []
    addresses: dict[str, str] = {}  # by UISP's id
    points: list[tuple[int, str]] = []  # which device hears which access point
    for number, each in enumerate(value, 1):
        identity = _mapping(each, "identification")
        title = _word(identity, "name") or _word(identity, "hostname") or _word(identity, "modelName")
        title = title or _word(identity, "model") or f"{number}"
        if not identity:
            places.add(number, "identification", "fault.missing", wanted=Phrase("word.uisp_device"))
            continue
        address = _word(each, "ipAddress").partition("/")[0]
        if not address:
            without.append(title)
            continue
        try:
            ipaddress.ip_address(address)
        except ValueError:
            places.add(number, "ipAddress", "fault.no_address", given=address[:60])
            continue
        point = _word(_mapping(_mapping(each, "attributes"), "apDevice"), "id")
        addresses[_word(identity, "id")] = address
        if point:
            points.append((len(found), point))
        found.append(
            Listed(line=number, address=address, title=title, site=_word(_mapping(identity, "site"), "name"))
        )
    places.stop()
    if not found:
        raise ConfigError([fault(source, "fault.list_no_address")])
    linked = dict(points)
    devices = tuple(
        Listed(line=one.line, address=one.address, title=one.title, site=one.site,
               link_to=addresses.get(linked.get(at, ""), ""))
        for at, one in enumerate(found)
    )  # fmt: skip
    return DeviceList(devices=devices, without_address=tuple(without))


def _mapping(value: Any, key: str) -> Mapping[str, Any]:
    below = value.get(key) if isinstance(value, Mapping) else None
    return below if isinstance(below, Mapping) else {}


def _word(value: Any, key: str) -> str:
    text = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(text, str):
        return ""
    return "".join(c if c.isprintable() else " " for c in text[:200]).strip()
