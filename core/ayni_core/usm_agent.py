"""The authoritative side of SNMPv3: an agent's end of the user-based security model, for a MIB of any kind.

Pretend devices answer by it, in tests and measurements. It checks in the order of RFC 3414 section 3.2, and
tells by a Report what it does not take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ayni_core.ber import encode_oid, tlv
from ayni_core.snmp import (
    COUNTER32,
    OCTET_STRING,
    REPORT,
    SEQUENCE,
    V2C,
    Message,
    SnmpDecodeError,
    decode_pdu,
    encode_varbind,
    frame_pdu,
    open_message,
)
from ayni_core.usm import (
    DECRYPTION_ERRORS,
    NOT_IN_TIME,
    UNKNOWN_ENGINES,
    UNKNOWN_USERS,
    UNSUPPORTED_LEVELS,
    USM_STATS,
    WRONG_DIGESTS,
)
from ayni_core.usm_engine import TIME_WINDOW_S, Engine
from ayni_core.usm_keys import AUTH, AUTH_PRIV, AUTH_PROTOCOLS, Aes, UsmUser
from ayni_core.usm_message import (
    AUTH_FLAG,
    LEVEL_FLAGS,
    PRIV_FLAG,
    REPORTABLE,
    Frame,
    UsmMessage,
    parse_message,
    parse_scoped,
)

Respond = Callable[[Message], bytes | None]
"""The community message that answers, as `MibView.answer` makes it."""


class UsmAgent:
    """One engine and its users. `clock` gives seconds that never go back."""

    def __init__(
        self,
        engine: bytes,
        users: Iterable[UsmUser],
        *,
        clock: Callable[[], float],
        boots: int = 1,
        first_salt: int = 0,
        aes: Aes | None = None,
    ) -> None:
        self.engine = engine
        self.boots = boots
        self.reports: list[int] = []  # which counters it has reported
        self._clock = clock
        self._salt = first_salt
        self._started_s = clock()
        self._users = {user.name: (user, Engine(engine, user, aes)) for user in users}

    @property
    def time(self) -> int:
        """snmpEngineTime."""
        return int(self._clock() - self._started_s)

    def reboot(self) -> None:
        """One boot more, and time begins at 0."""
        self.boots += 1
        self._started_s = self._clock()

    def answer(self, datagram: bytes, respond: Respond) -> bytes | None:
        """What to send back, if anything; SnmpDecodeError if it is no message."""
        message = parse_message(datagram)
        level = message.flags & LEVEL_FLAGS
        if message.engine != self.engine:
            return self._report(message, UNKNOWN_ENGINES)
        user, keys = self._users.get(message.user, (None, None))
        if user is None or keys is None:
            return self._report(message, UNKNOWN_USERS)
        if level & ~user.level:
            return self._report(message, UNSUPPORTED_LEVELS)
        data, pos, end = datagram, message.body, message.end
        if level & AUTH_FLAG:
            if keys.digest(message.with_zeros()) != message.digest:
                return self._report(message, WRONG_DIGESTS)
            if message.boots != self.boots or abs(message.time - self.time) > TIME_WINDOW_S:
                return self._report(message, NOT_IN_TIME, AUTH)
            if level & PRIV_FLAG:
                try:
                    data, pos = keys.decrypt(message), 0
                except SnmpDecodeError:
                    return self._report(message, DECRYPTION_ERRORS)
                end = len(data)
        _, _, pos, end = parse_scoped(data, pos, end)
        answer = respond(Message(V2C, b"", decode_pdu(data, pos, end)))
        if answer is None:
            return None
        _, _, pos, end = open_message(answer)
        return self.wrap(message, answer[pos:end], level)

    def wrap(self, request: UsmMessage, pdu: bytes, level: int) -> bytes:
        """A message that answers `request` with this PDU, at this level."""
        user, keys = self._users.get(request.user, (None, None))
        body = tlv(SEQUENCE, tlv(OCTET_STRING, self.engine) + tlv(OCTET_STRING, b"") + pdu)
        boots, time, salt, digest = self.boots, self.time, b"", 0
        if level & AUTH_FLAG and user is not None:
            digest = AUTH_PROTOCOLS[user.auth or ""].digest
        if level == AUTH_PRIV and keys is not None and keys.cipher is not None:
            self._salt += 1
            salt = self._salt.to_bytes(8, "big")
            vector = boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt
            body = tlv(OCTET_STRING, keys.cipher.encrypt(vector, body))
        frame = Frame(level, self.engine, boots, time, request.user, digest, len(salt))
        before, zeros, behind = frame.message(request.msg_id, salt, body)
        if digest and keys is not None:
            zeros = keys.digest(before + zeros + behind)
        return before + zeros + behind

    def _report(self, message: UsmMessage, number: int, level: int = 0) -> bytes | None:
        if not message.flags & REPORTABLE:
            return None
        self.reports.append(number)
        counter = encode_varbind(USM_STATS + encode_oid((1, 3, number, 0))[1:], COUNTER32, len(self.reports))
        return self.wrap(message, frame_pdu(REPORT, 0, 0, 0, [counter]), level)
