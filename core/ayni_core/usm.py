"""SNMPv3 around the same PDUs: the envelope of the user-based security model (RFC 3412, 3414, 3826, 7860).

Theory of operation. The agent's engine is *authoritative*: its identity localises the keys, its boots and
time tell fresh messages from replayed ones. What is not known yet is found out on the way: `seal` makes a
discovery where the engine is unknown, and a request at time 0 where its time is; the agent answers both with
a Report, `open` learns from it and raises `Renewal`, and the caller seals the request again. So a first
answer takes three exchanges, every further one takes one, and a reboot (notInTimeWindows) or another device
at the same address (unknownEngineIDs) one more. The caller bounds the renewals.

The law of the file:
- a Report is never data, nor is anything below the level that was asked for, nor what answers no message of
  ours (msgID), comes from another engine, user or context, or carries another request-id;
- time moves by authenticated messages alone, boots never go back: not even after another engine stood there,
  and where a device has lost them, only after it has insisted on it (`usm_engine`);
- no salt is used twice: it begins anywhere and counts;
- the engine of an agent is neither empty nor our own;
- no key, password or octet of a message stands in an error or a repr.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from contextlib import suppress

from ayni_core.ber import BerError, encode_length, encode_oid, read_header, tlv
from ayni_core.snmp import (
    GET,
    MAX_REQUEST_ID,
    MIN_REQUEST_ID,
    REPORT,
    RESPONSE,
    SEQUENCE,
    V3,
    Denial,
    Refusal,
    Renewal,
    RequestTemplate,
    SnmpDecodeError,
    decode_pdu,
    request_template,
)
from ayni_core.usm_engine import INSISTED_S, Engine
from ayni_core.usm_keys import AES_KEYS, AUTH, AUTH_PRIV, NO_AUTH, Aes, UsmUser
from ayni_core.usm_message import (
    AUTH_FLAG,
    LEVEL_FLAGS,
    PRIV_FLAG,
    REPORTABLE,
    Frame,
    HeaderShape,
    UsmMessage,
    parse_message,
    parse_scoped,
)

USM_STATS = encode_oid("1.3.6.1.6.3.15.1.1")
UNSUPPORTED_LEVELS, NOT_IN_TIME, UNKNOWN_USERS, UNKNOWN_ENGINES, WRONG_DIGESTS, DECRYPTION_ERRORS = range(
    1, 7
)
LEVEL_NAMES = {NO_AUTH: "noAuthNoPriv", AUTH: "authNoPriv", AUTH_PRIV: "authPriv"}

_MOST_SENT = 64  # messages that may still be answered; more than a device has under way
_MOST_ENGINES = 4  # that have stood at one address
_COMMUNITY_SHARE = 32  # octets that a community message needs around a PDU
_DISCOVERY_PDU = request_template(GET, ())


class UsmEnvelope:
    """`Envelope` for one user at one address. `clock`: seconds that never go back; both firsts: by chance."""

    version = V3

    def __init__(
        self,
        user: UsmUser,
        *,
        clock: Callable[[], float],
        first_id: int,
        first_salt: int,
        aes: Aes | None = None,
        own_engine: bytes = b"",
    ) -> None:
        if user.priv is not None and (user.priv not in AES_KEYS or aes is None):
            raise ValueError("this envelope encrypts by AES, and needs to be given it")
        self._user = user
        self._clock = clock
        self._aes = aes
        self._own_engine = own_engine
        self._level = user.level
        self._msg_id = MIN_REQUEST_ID + first_id % (MAX_REQUEST_ID - MIN_REQUEST_ID)
        self._salt = first_salt % 2**64
        self._discovery = Frame(REPORTABLE, b"", 0, 0, b"", 0, 0)
        self._engine: Engine | None = None
        self._engines: dict[bytes, Engine] = {}
        self._sent: dict[int, tuple[int, Engine | None]] = {}
        self._shape: HeaderShape | None = None
        self._heard = False
        sample = Engine(bytes(17), user, self._aes).frame(0.0).message(self._msg_id, b"", b"")
        self.surplus = sum(map(len, sample)) + 2 * 17 + 20 - _COMMUNITY_SHARE

    def __repr__(self) -> str:
        return f"UsmEnvelope({LEVEL_NAMES[self._level]})"

    def seal(self, request: RequestTemplate, request_id: int) -> bytes:
        """The request, or the discovery that has to come before it."""
        engine = self._engine
        self._msg_id = msg_id = self._msg_id + 1 if self._msg_id < MAX_REQUEST_ID else MIN_REQUEST_ID
        if len(self._sent) >= _MOST_SENT:
            del self._sent[next(iter(self._sent))]
        self._sent[msg_id] = request_id, engine
        if engine is None:
            pdu = b"\x04\x00\x04\x00" + _DISCOVERY_PDU.with_id(request_id)
            return b"".join(self._discovery.message(msg_id, b"", tlv(SEQUENCE, pdu)))
        frame = engine.frame(self._clock())
        body = b"%b%b%b%b" % (
            engine.opening(len(request.head) + 4 + len(request.tail)),
            request.head,
            request_id.to_bytes(4, "big"),
            request.tail,
        )
        salt = b""
        if engine.cipher is not None:
            self._salt = (self._salt + 1) % 2**64
            salt = self._salt.to_bytes(8, "big")
            body = engine.cipher.encrypt(engine.stamp + salt, body)
            body = b"\x04%b%b" % (encode_length(len(body)), body)
        before, zeros, behind = frame.message(msg_id, salt, body)
        return b"%b%b%b" % (before, engine.digest(b"%b%b%b" % (before, zeros, behind)), behind)

    def open(self, datagram: bytes) -> tuple[bytes, int, int]:
        """Where the PDU of an answer stands; see the law of the file, `Renewal` and `Denial`."""
        shape = self._shape
        message = None if shape is None else shape.read(datagram)
        known = message is not None
        if message is None:
            message = parse_message(datagram)
        sent = self._sent.get(message.msg_id)
        if sent is None:
            raise SnmpDecodeError("answers no message that is under way")
        request_id, engine = sent
        level = message.flags & LEVEL_FLAGS
        data, pos, end = datagram, message.body, message.end
        if level & AUTH_FLAG:
            if engine is None or not self._level & AUTH_FLAG:
                raise SnmpDecodeError("authenticated, though nobody asked for it")
            self._authenticate(message, engine, request_id)
            if level & PRIV_FLAG:
                data, pos = engine.decrypt(message), 0
                end = len(data)
        elif level:
            raise SnmpDecodeError("encrypted, but not authenticated")
        if (
            engine is not None
            and data.startswith(engine.scope, pos + 4)
            and data[pos : pos + 2] == b"\x30\x82"
        ):
            pos, end = self._usual_scope(engine, data, pos, end)
            context, name = engine.id, b""
        else:
            context, name, pos, end = parse_scoped(data, pos, end)
        if data[pos] == REPORT:
            raise self._report(message, _reported(data, pos, end), request_id, engine)
        if data[pos] != RESPONSE:
            raise SnmpDecodeError("no Response-PDU")
        if level != self._level:
            raise SnmpDecodeError("below the level that was asked for")
        if engine is None or message.engine != engine.id or message.user != self._user.name:
            raise SnmpDecodeError("of another engine or user")
        if context != engine.id or name:
            raise SnmpDecodeError("of another context")
        if _request_id(data, pos, end) != request_id:
            raise SnmpDecodeError("msgID and request-id are of two requests")
        del self._sent[message.msg_id]
        engine.opened = True
        if not known:
            with suppress(BerError):
                self._shape = HeaderShape(message)
        return data, pos, end

    def unanswered(self) -> Denial | None:
        """What the agent's Reports and its silence mean together. The next request begins with discovery."""
        engine, self._engine = self._engine, None
        heard, self._heard = self._heard, False
        if engine is None or not heard or engine.opened:
            return None
        if engine.synced and self._level == AUTH_PRIV:
            return Denial(
                Refusal.PRIV,
                f"{self._who} is authenticated, but encrypted requests stay unanswered: "
                "wrong privacy password or protocol?",
            )
        return Denial(Refusal.OTHER, f"the agent is there, but leaves {self._who} unanswered")

    def _usual_scope(self, engine: Engine, data: bytes, pos: int, end: int) -> tuple[int, int]:
        """Where the PDU is within a long scope of this engine, as `parse_scoped` finds it."""
        stop = pos + 4 + int.from_bytes(data[pos + 2 : pos + 4], "big")
        pos += 4 + len(engine.scope)
        if not pos < stop <= end:
            raise SnmpDecodeError("a scoped PDU that reaches past its frame, or is empty")
        return pos, stop

    @property
    def _who(self) -> str:
        name = self._user.name.decode("utf-8", "replace")
        return f'user "{"".join(c if c.isprintable() else "?" for c in name)}"'

    def _authenticate(self, message: UsmMessage, engine: Engine, request_id: int) -> None:
        """RFC 3414 section 3.2, steps 3 to 7."""
        if message.engine != engine.id or message.user != self._user.name:
            raise SnmpDecodeError("of another engine or user")
        if not hmac.compare_digest(engine.digest(message.with_zeros()), message.digest):
            raise SnmpDecodeError("wrong digest")
        self._heard = True
        boots, now_s = engine.boots, self._clock()
        if engine.timely(message.boots, message.time, now_s):
            return
        if _is_about_time(message, engine):
            del self._sent[message.msg_id]  # a message of ours is answered once
            if engine.insists(message.boots, message.time, now_s):
                raise Renewal("the agent has insisted on its time", request_id)
        elif message.boots >= boots:
            raise SnmpDecodeError("not in the time window")
        told = f"counts {message.boots} boots after {boots} before"
        raise Denial(
            Refusal.OTHER,
            f"the device {told if message.boots < boots else 'went back in time'}, as replayed messages do; "
            f"after a factory reset, it is believed when it has gone on so for {INSISTED_S // 60} minutes",
            request_id,
        )

    def _report(
        self, message: UsmMessage, oid: bytes, request_id: int, asked: Engine | None
    ) -> SnmpDecodeError:
        """What a Report means for the request that it answers."""
        number = _number_of(oid)
        if asked is None or number == UNKNOWN_ENGINES:
            return self._meet(message, request_id, asked)
        if message.engine != asked.id:
            return SnmpDecodeError("a Report of another engine")
        if number == NOT_IN_TIME:
            if not message.flags & AUTH_FLAG:
                return SnmpDecodeError("a Report about time that is not authenticated")
            del self._sent[message.msg_id]
            return Renewal("the agent's time is known now", request_id)
        why, cause = {
            UNSUPPORTED_LEVELS: (
                Refusal.LEVEL,
                f"the agent does not offer {LEVEL_NAMES[self._level]} to {self._who}",
            ),
            UNKNOWN_USERS: (Refusal.USER, f"the agent does not know {self._who}"),
            WRONG_DIGESTS: (Refusal.AUTH, f"wrong authentication password or protocol of {self._who}"),
            DECRYPTION_ERRORS: (Refusal.PRIV, f"wrong privacy password or protocol of {self._who}"),
        }.get(number, (Refusal.OTHER, "the agent refuses the request by a Report that is not about the user"))
        del self._sent[message.msg_id]
        return Denial(why, cause, request_id)

    def _meet(self, message: UsmMessage, request_id: int, asked: Engine | None) -> SnmpDecodeError:
        """An agent told its engine: it was asked to, or it is not the one that we took it for."""
        name = message.engine
        if not 5 <= len(name) <= 32 or name == self._own_engine or not name.strip(b"\x00"):
            return SnmpDecodeError("no engine that an agent can have")
        if asked is not None and name == asked.id:
            return SnmpDecodeError("an engine that does not know itself")
        engine = self._engines.pop(name, None)
        if engine is None:
            if len(self._engines) >= _MOST_ENGINES:
                del self._engines[next(iter(self._engines))]
            engine = Engine(name, self._user, self._aes)
        self._engines[name] = self._engine = engine
        del self._sent[message.msg_id]
        self._heard = True
        return Renewal("the agent's engine is known now", request_id)


def _is_about_time(message: UsmMessage, engine: Engine) -> bool:
    """Whether an authenticated message is a Report of notInTimeWindows (RFC 3414 section 3.2, step 7 a)."""
    data, pos, end = message.data, message.body, message.end
    try:
        if message.flags & PRIV_FLAG:  # it need not be, but may
            data, pos = engine.decrypt(message), 0
            end = len(data)
        _, _, pos, end = parse_scoped(data, pos, end)
        return data[pos] == REPORT and _number_of(_reported(data, pos, end)) == NOT_IN_TIME
    except SnmpDecodeError:
        return False


def _number_of(oid: bytes) -> int:
    """Which of the counters of the security model an OID is; 0 for none."""
    return oid[len(USM_STATS)] if oid.startswith(USM_STATS) and len(oid) > len(USM_STATS) else 0


def _reported(data: bytes, pos: int, end: int) -> bytes:
    """The counter that a Report-PDU names, or nothing where it names none."""
    varbinds = decode_pdu(data, pos, end).varbinds
    return varbinds[0][0] if varbinds else b""


def _request_id(data: bytes, pos: int, end: int) -> int:
    if data[pos + 1 : pos + 2] == b"\x82" and data[pos + 4 : pos + 6] == b"\x02\x04":  # the usual long answer
        return int.from_bytes(data[pos + 6 : pos + 10], "big")
    try:
        _, pos, end = read_header(data, pos, end)
        _, pos, end = read_header(data, pos, end)
    except BerError as error:
        raise SnmpDecodeError(str(error)) from None
    return int.from_bytes(data[pos:end], "big", signed=True)
