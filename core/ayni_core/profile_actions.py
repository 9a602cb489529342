"""The section `actions` of a profile file: how a device is changed. Described in
`configs/profiles/README.md`."""

from __future__ import annotations

from typing import Any

from ayni_core.profile import Actions, Setting, Switch
from ayni_core.profile_values import oid_at
from ayni_core.schema import Fields
from ayni_core.snmp import GAUGE32, INTEGER, OCTET_STRING

_TAGS = {"integer": INTEGER, "text": OCTET_STRING, "unsigned": GAUGE32}
_BY = ("interface", "index")


def read_actions(fields: Fields, root: bytes) -> Actions:
    """What a file says about changing its devices; `root` is what a leading dot continues."""
    actions = Actions(
        reboot=_setting(fields.child("reboot"), root) if "reboot" in fields else None,
        port=_switch(fields.child("port"), root) if "port" in fields else None,
        poe=_switch(fields.child("poe"), root) if "poe" in fields else None,
    )
    fields.done()
    return actions


def _setting(fields: Fields, root: bytes) -> Setting:
    tag = _TAGS[fields.choice("as", _TAGS, "integer")]
    setting = Setting(oid=oid_at(fields, "oid", root), tag=tag, value=_value(fields, "value", tag))
    fields.done()
    return setting


def _switch(fields: Fields, root: bytes) -> Switch:
    tag = _TAGS[fields.choice("as", _TAGS, "integer")]
    switch = Switch(
        column=oid_at(fields, "column", root),
        tag=tag,
        on=_value(fields, "on", tag),
        off=_value(fields, "off", tag),
        by_index=fields.choice("by", _BY, _BY[0]) == "index",
        prefix=fields.text("prefix", ""),
    )
    if switch.on == switch.off:
        fields.fault("off", "fault.differ", other="on")
    fields.done()
    return switch


def _value(fields: Fields, key: str, tag: int) -> int | bytes:
    if tag == OCTET_STRING:
        return str(fields.text(key)).encode("utf-8")
    least = 0 if tag == GAUGE32 else -(2**31)
    number: Any = fields.number(
        key, at_least=least, at_most=2**32 - 1 if tag == GAUGE32 else 2**31 - 1, whole=True
    )
    return int(number)
