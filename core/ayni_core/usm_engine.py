"""An authoritative SNMPv3 engine, as a user of it knows it: the user's keys there, its boots and its time.

Sources: RFC 3414 section 2.3 (boots and time), 3.2 step 7 (the window), RFC 3826 section 3.1.2.1
(what the cipher begins with).

Time never goes back, but a factory reset, or firmware that keeps nothing, takes a device's boots from it
while its engine ID and the user's keys stay: by the letter it could never be read again. So a time behind
ours is believed once the device has insisted on it (`Engine.insists`): by Reports alone, which are no data;
each of them authenticated, and the answer to a message of ours that had none yet; for long, many times, no
timely message in between; by a clock that ran on all the while. What somebody recorded long ago fails in all
of that: it quotes one old msgID out of 2**31, and its clock stands still.
"""

from __future__ import annotations

import hashlib

from ayni_core.ber import encode_length, tlv
from ayni_core.snmp import OCTET_STRING, SnmpDecodeError
from ayni_core.usm_keys import AUTH_PROTOCOLS, Aes, AesKey, UsmUser, aes_key, auth_key
from ayni_core.usm_message import MAX_31, PRIV_FLAG, REPORTABLE, Frame, UsmMessage, encrypted_body

TIME_WINDOW_S = 150
INSISTED_S = 600
INSISTED_TIMES = 5
_INNER, _OUTER = (bytes(octet ^ pad for octet in range(256)) for pad in (0x36, 0x5C))


class _Claim:
    """A time behind ours that the device holds to: what it told at first, and how often since when."""

    __slots__ = ("_at_s", "_boots", "_time", "since_s", "times")

    def __init__(self, boots: int, time: int, now_s: float) -> None:
        self._boots, self._time, self._at_s = boots, time, now_s
        self.since_s = now_s
        self.times = 1

    def goes_on(self, boots: int, time: int, now_s: float) -> bool:
        """Whether the same clock can stand thus now: it ran on, or began again with a boot more."""
        if boots > self._boots:
            self._boots, self._time, self._at_s = boots, time, now_s
        # From the first, not the last: a clock that stands still is not far off from one time to the next.
        off_s = time - self._time - (now_s - self._at_s)
        self.times += 1
        return boots == self._boots and abs(off_s) <= TIME_WINDOW_S


class Engine:
    """Starts knowing the keys alone; `timely` learns from what was authenticated, `insists` as said above."""

    __slots__ = (
        "_at_s",
        "_claim",
        "_digest",
        "_frame",
        "_inner",
        "_level",
        "_openings",
        "_outer",
        "_time",
        "_user",
        "boots",
        "cipher",
        "id",
        "opened",
        "scope",
        "stamp",
        "synced",
    )  # fmt: skip

    def __init__(self, engine: bytes, user: UsmUser, aes: Aes | None) -> None:
        self.id = engine
        self._user = user.name
        self._level = user.level
        self._digest = 0
        if user.auth is not None:
            protocol = AUTH_PROTOCOLS[user.auth]
            self._digest = protocol.digest
            # HMAC (RFC 2104) with the key hashed in once: the library's costs half as much again.
            key = auth_key(user, engine).ljust(hashlib.new(protocol.hash).block_size, b"\x00")
            self._inner = hashlib.new(protocol.hash, key.translate(_INNER))
            self._outer = hashlib.new(protocol.hash, key.translate(_OUTER))
        self.cipher: AesKey | None = None
        if aes is not None and user.priv is not None:
            self.cipher = aes(aes_key(user, engine))
        self.scope = tlv(OCTET_STRING, engine) + b"\x04\x00"
        self._openings: dict[int, bytes] = {}  # by length of the PDU, so there are few
        self.boots = self._time = 0  # snmpEngineBoots, latestReceivedEngineTime
        self._at_s = 0.0
        self._claim: _Claim | None = None
        self.synced = False
        self.opened = False
        self.stamp = b""  # boots and time as the frame has them: half of the cipher's vector
        self._frame: Frame | None = None

    def opening(self, length: int) -> bytes:
        """What stands before a PDU of `length` octets in its scope."""
        opening = self._openings.get(length)
        if opening is None:
            opening = b"\x30" + encode_length(len(self.scope) + length) + self.scope
            self._openings[length] = opening
        return opening

    def frame(self, now_s: float) -> Frame:
        """The frame of this second; its time is 0 until the agent has told its own."""
        boots, time = 0, 0
        if self.synced:
            boots, time = self.boots, min(self._estimate(now_s), MAX_31)
        stamp = boots.to_bytes(4, "big") + time.to_bytes(4, "big")
        if self._frame is None or stamp != self.stamp:
            self.stamp = stamp
            salt = 8 if self._level & PRIV_FLAG else 0
            flags = self._level | REPORTABLE
            self._frame = Frame(flags, self.id, boots, time, self._user, self._digest, salt)
        return self._frame

    def digest(self, message: bytes) -> bytes:
        """The digest of a message that has zeros in its place; nothing where the user has no key."""
        if not self._digest:
            return b""
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()[: self._digest]

    def decrypt(self, message: UsmMessage) -> bytes:
        """The scoped PDU of an authenticated message."""
        if self.cipher is None or len(message.salt) != 8:
            raise SnmpDecodeError("encrypted otherwise than was asked for")
        vector = message.boots.to_bytes(4, "big") + message.time.to_bytes(4, "big") + message.salt
        return self.cipher.decrypt(vector, encrypted_body(message))

    def timely(self, boots: int, time: int, now_s: float) -> bool:
        """Learn from an authenticated message; whether it is fresh (RFC 3414 section 3.2, step 7 b)."""
        if boots > self.boots or (boots == self.boots and (time > self._time or not self.synced)):
            self.boots, self._time, self._at_s = boots, time, now_s
            self.synced = True
        if boots == self.boots and boots < MAX_31 and time >= self._estimate(now_s) - TIME_WINDOW_S:
            self._claim = None
            return True
        return False

    def insists(self, boots: int, time: int, now_s: float) -> bool:
        """Hear an authenticated Report of a time that is not timely; whether it is believed from now on."""
        claim = self._claim
        if boots >= MAX_31 or claim is None or not claim.goes_on(boots, time, now_s):
            self._claim = _Claim(boots, time, now_s)
            return False
        if claim.times < INSISTED_TIMES or now_s - claim.since_s < INSISTED_S:
            return False
        self.boots, self._time, self._at_s = boots, time, now_s
        self._claim = None
        return True

    def _estimate(self, now_s: float) -> int:
        return self._time + int(now_s - self._at_s)
