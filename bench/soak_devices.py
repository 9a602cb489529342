"""Devices that answer as in the field, and what they say: made by the lab's machines and our own agents.

Nothing here is a recording: a soak test leaves its input on screens and in logs.
"""

from __future__ import annotations

from functools import lru_cache
from random import Random

import snmp_device

from ayni_core import inventory
from ayni_core.ber import encode_oid, tlv
from ayni_core.mibview import MibView
from ayni_core.snmp import (
    COUNTER64,
    GAUGE32,
    GEN_ERR,
    GET,
    GET_BULK,
    GET_NEXT,
    INTEGER,
    IP_ADDRESS,
    MIN_REQUEST_ID,
    OCTET_STRING,
    OID,
    OPAQUE,
    SEQUENCE,
    TIME_TICKS,
    TOO_BIG,
    V1,
    V2C,
    CommunityEnvelope,
    Message,
    RequestTemplate,
    decode_request,
    encode_response,
    request_template,
)
from ayni_core.usm import UsmEnvelope
from ayni_core.usm_agent import UsmAgent
from ayni_core.usm_engine import Engine
from ayni_core.usm_keys import AUTH_PROTOCOLS, UsmUser
from ayni_core.usm_message import Frame, UsmMessage
from ayni_io import configs, yamlfile
from ayni_io.aes import CryptographyAes
from ayni_lab import scenario
from ayni_lab.conditions import Conditions
from ayni_lab.views import MachineView
from ayni_lab.world import World

NOON = 1_800_014_400.0
LARGEST = 1472
ENGINE = bytes.fromhex("800000000403") + b"school"
PLAIN = UsmUser(name=b"plain")
AUTHENTIC = UsmUser(name=b"authentic", auth="SHA-256", auth_password=b"mango-tree")
SECRET = UsmUser(
    name=b"secret", auth="SHA", auth_password=b"mango-tree", priv="AES", priv_password=b"under-it"
)
USERS = (PLAIN, AUTHENTIC, SECRET)
REQUEST_ID = MIN_REQUEST_ID + 7
COLUMNS = tuple(encode_oid(f"1.3.6.1.2.1.2.2.1.{column}") for column in (2, 5, 7, 8, 10, 13, 14, 16, 19, 20))
WIDE = tuple(encode_oid(f"1.3.6.1.2.1.31.1.1.1.{column}") for column in (1, 6, 7, 10, 11, 15, 18))
NOWHERE = encode_oid("1.3.6.1.2.1.77.1.0")
_SENSORS, _PARTS = "1.3.6.1.2.1.99.1.1.1", "1.3.6.1.2.1.47.1.1.1.1"


@lru_cache(maxsize=1)
def views() -> dict[str, MibView]:
    """The devices of the example village, and a router with all that the standard MIBs have."""
    network = yamlfile.read(configs.find("network.yaml"), inventory.parse)
    path = configs.find("scenarios/red-cerro-norte.yaml")
    cast = yamlfile.read(path, lambda fields: scenario.parse(fields, network)).cast
    world = World(network, cast, Conditions(), Random(1), NOON)
    for minute in range(1, 5):
        world.step(NOON + 60 * minute)
    found = {name: MachineView(each, lambda: NOON + 300).view() for name, each in world.machines.items()}
    return {name: view for name, view in found.items() if view is not None} | {"router": _router()}


def _router() -> MibView:
    """Unknown to every profile but the general one."""
    objects: dict[bytes, tuple[int, int | bytes | None]] = {
        encode_oid("1.3.6.1.2.1.1.2.0"): (OID, encode_oid("1.3.6.1.4.1.99999.1")),
        encode_oid("1.3.6.1.2.1.4.20.1.1.10.0.0.1"): (IP_ADDRESS, bytes((10, 0, 0, 1))),
        encode_oid("1.3.6.1.4.1.2021.10.1.6.1"): (OPAQUE, bytes.fromhex("9f780442280000")),
    }
    for name, oid in snmp_device.SCALARS.items():
        objects[encode_oid(oid)] = (OCTET_STRING, name.encode()) if name.startswith("sys") else (INTEGER, 7)
    objects[encode_oid(snmp_device.SCALARS["sysUpTime"])] = (TIME_TICKS, 30_000_000)
    objects[encode_oid(snmp_device.SCALARS["ifNumber"])] = (INTEGER, snmp_device.INTERFACES)
    for row in range(1, snmp_device.INTERFACES + 1):
        for name, oid in snmp_device.COLUMNS.items():
            value: tuple[int, int | bytes | None] = (COUNTER64, 5 * 10**10 * row)
            if name in ("ifName", "ifAlias"):
                value = (OCTET_STRING, f"eth{row}".encode())
            elif name == "ifHighSpeed":
                value = (GAUGE32, 1000)
            elif name.endswith("Status"):
                value = (INTEGER, 1)
            objects[encode_oid(f"{oid}.{row}")] = value
    for row in range(1, 9):
        for column, cell in ((1, 2 + row), (2, 8), (3, 1), (4, 241 + row), (5, 1)):
            objects[encode_oid(f"{_SENSORS}.{column}.{row}")] = (INTEGER, cell)
        objects[encode_oid(f"{_PARTS}.7.{row}")] = (OCTET_STRING, f"probe {row}".encode())
    return MibView(objects)


class Talk:
    """A user's envelope and the agent of a device, with one clock."""

    def __init__(self, user: UsmUser, rng: Random, view: MibView) -> None:
        self.user = user
        self.now_s = 1000.0
        self._view = view
        self._rng = rng
        self._keys = Engine(ENGINE, user, CryptographyAes)
        self.envelope = UsmEnvelope(
            user,
            clock=self._clock,
            first_id=rng.getrandbits(31),
            first_salt=rng.getrandbits(64),
            aes=CryptographyAes,
        )
        self.agent = UsmAgent(ENGINE, USERS, clock=self._clock, boots=3, aes=CryptographyAes)

    def _clock(self) -> float:
        return self.now_s

    def answer(self, datagram: bytes) -> bytes | None:
        """What the device sends back."""
        return self.agent.answer(datagram, self._respond)

    def _respond(self, message: Message) -> bytes | None:
        return self._view.answer(message, LARGEST)

    def ask(self, request: RequestTemplate, request_id: int) -> bytes:
        """The answer to the next message of a request, whatever that is."""
        found = self.answer(self.envelope.seal(request, request_id))
        assert found is not None
        return found

    def seal_scope(self, request: UsmMessage, scope: bytes) -> bytes:
        """A message that answers `request` with this scope, authentic and encrypted as the user wants it."""
        boots, time = self.agent.boots, self.agent.time
        salt = b"" if self._keys.cipher is None else self._rng.randbytes(8)
        if self._keys.cipher is not None:
            vector = boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt
            scope = tlv(OCTET_STRING, self._keys.cipher.encrypt(vector, scope))
        digest = AUTH_PROTOCOLS[self.user.auth].digest if self.user.auth else 0
        frame = Frame(self.user.level, ENGINE, boots, time, self.user.name, digest, len(salt))
        before, zeros, behind = frame.message(request.msg_id, salt, scope)
        return before + self._keys.digest(before + zeros + behind) + behind


def scope_of(pdu: bytes) -> bytes:
    """A PDU in the scope of our engine."""
    return tlv(SEQUENCE, tlv(OCTET_STRING, ENGINE) + tlv(OCTET_STRING, b"") + pdu)


@lru_cache(maxsize=1)
def samples() -> list[tuple[int, RequestTemplate, bytes]]:
    """(version, request, answer) of v1 and v2c: every kind of request, exception and error, every device."""
    found = []
    for view in views().values():
        names = [oid for oid, _, _ in view]
        asked = [
            (V2C, request_template(GET, tuple(names[:40]))),
            (V2C, request_template(GET, (names[0], NOWHERE, names[-1] + b"\x01"))),
            (V2C, request_template(GET_NEXT, tuple(names[-3:]))),
            (V2C, request_template(GET_BULK, COLUMNS, 0, 5)),
            (V2C, request_template(GET_BULK, WIDE, 0, 7)),
            (V2C, request_template(GET_BULK, (names[len(names) // 2],), 0, 24)),
            (V2C, request_template(GET_BULK, (names[-2],), 0, 5)),
            (V1, request_template(GET, tuple(names[:20]))),
            (V1, request_template(GET, (names[0], NOWHERE))),
            (V1, request_template(GET_NEXT, COLUMNS)),
        ]
        for version, request in asked:
            message = decode_request(CommunityEnvelope(version, b"public").seal(request, REQUEST_ID))
            answer = view.answer(message, LARGEST)
            assert answer is not None
            found.append((version, request, answer))
            if request is asked[0][1]:
                found.append((version, request, encode_response(message, TOO_BIG, 0, [])))
                found.append((version, request, encode_response(message, GEN_ERR, 2, message.pdu.varbinds)))
    return found
