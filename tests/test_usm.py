"""The security of SNMPv3 as values: keys, the envelope, and each of its rules broken once."""

from __future__ import annotations

from contextlib import suppress

import pytest

from ayni_core.ber import encode_oid, tlv
from ayni_core.mibview import MibView
from ayni_core.snmp import (
    GET,
    MIN_REQUEST_ID,
    OCTET_STRING,
    RESPONSE,
    Denial,
    Message,
    Refusal,
    Renewal,
    SnmpDecodeError,
    VarBind,
    decode_pdu,
    encode_varbind,
    frame_pdu,
    request_template,
)
from ayni_core.usm import UsmEnvelope
from ayni_core.usm_agent import UsmAgent
from ayni_core.usm_engine import INSISTED_S, INSISTED_TIMES
from ayni_core.usm_keys import (
    AES_KEYS,
    AUTH_PROTOCOLS,
    UsmUser,
    aes_key,
    localised_key,
    password_key,
)
from ayni_core.usm_message import MAX_31, HeaderShape, parse_message
from ayni_io.aes import CryptographyAes

NAME = encode_oid("1.3.6.1.2.1.1.5.0")
ENGINE = bytes.fromhex("800000000403") + b"school"
OTHER = bytes.fromhex("800000000403") + b"clinic"
REQUEST = request_template(GET, (NAME,))
ID = MIN_REQUEST_ID + 7
VIEW = MibView({NAME: (OCTET_STRING, b"school" * 40)})
PLAIN = UsmUser(name=b"plain")
AUTHENTIC = UsmUser(name=b"authentic", auth="SHA-256", auth_password=b"mango-tree")
SECRET = UsmUser(
    name=b"secret", auth="SHA", auth_password=b"mango-tree", priv="AES", priv_password=b"under-it"
)
USERS = (PLAIN, AUTHENTIC, SECRET)


# ---- keys


@pytest.mark.parametrize(
    ("name", "key", "localised"),
    [
        ("md5", "9faf3283884e92834ebc9847d8edd963", "526f5eed9fcce26f8964c2930787d82b"),
        (
            "sha1",
            "9fb5cc0381497b3793528939ff788d5d79145211",
            "6695febc9288e36282235fc7151f128497b38f3f",
        ),
    ],
)
def test_keys_are_those_of_rfc_3414_a_3(name: str, key: str, localised: str) -> None:
    assert password_key(name, b"maplesyrup").hex() == key
    assert localised_key(name, b"maplesyrup", bytes.fromhex("000000000000000000000002")).hex() == localised


@pytest.mark.parametrize("auth", list(AUTH_PROTOCOLS))
@pytest.mark.parametrize("priv", list(AES_KEYS))
def test_keys_are_those_of_pysnmp(auth: str, priv: str) -> None:
    """RFC 7860 gives no keys to compare with; pysnmp has been compared with devices."""
    pytest.importorskip("pysnmp.entity.engine")  # first: what it is made of imports each other
    from pyasn1.type.univ import OctetString
    from pysnmp.entity import config
    from pysnmp.proto.secmod.eso.priv import aes192, aes256
    from pysnmp.proto.secmod.rfc3826.priv import aes

    oids = {
        "MD5": config.USM_AUTH_HMAC96_MD5,
        "SHA": config.USM_AUTH_HMAC96_SHA,
        "SHA-224": config.USM_AUTH_HMAC128_SHA224,
        "SHA-256": config.USM_AUTH_HMAC192_SHA256,
        "SHA-384": config.USM_AUTH_HMAC256_SHA384,
        "SHA-512": config.USM_AUTH_HMAC384_SHA512,
    }
    ciphers = {
        "AES": aes.Aes,
        "AES-192": aes192.AesBlumenthal192,
        "AES-256": aes256.AesBlumenthal256,
        "AES-192-C": aes192.Aes192,
        "AES-256-C": aes256.Aes256,
    }
    cipher = ciphers[priv]()
    key = cipher.hash_passphrase(oids[auth], b"maplesyrup")
    theirs = cipher.localize_key(oids[auth], key, OctetString(ENGINE))
    user = UsmUser(name=b"u", auth=auth, auth_password=b"x" * 8, priv=priv, priv_password=b"maplesyrup")
    assert aes_key(user, ENGINE) == bytes(theirs)[: AES_KEYS[priv]]


@pytest.mark.parametrize(
    ("key", "ciphertext"),
    [
        (
            "2b7e151628aed2a6abf7158809cf4f3c",
            "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b",
        ),
        (
            "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407b",
        ),
    ],
)
def test_the_cipher_is_that_of_nist_sp_800_38a(key: str, ciphertext: str) -> None:
    """Whatever one object has been through before, and at every length."""
    cipher = CryptographyAes(bytes.fromhex(key))
    vector = bytes(range(16))
    plain = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
    for _ in range(2):
        for length in range(33):
            assert cipher.encrypt(vector, plain[:length]) == bytes.fromhex(ciphertext)[:length]
            assert cipher.decrypt(vector, bytes.fromhex(ciphertext)[:length]) == plain[:length]


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"priv": "AES", "priv_password": b"12345678"}, "privacy needs authentication"),
        ({"auth": "SHA", "auth_password": b"1234567"}, "at least 8"),
        ({"auth": "SHA1", "auth_password": b"12345678"}, "'SHA1'"),
    ],
)
def test_what_no_user_can_be_is_refused_without_its_password(given: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError, match=fault) as error:
        UsmUser(name=b"u", **given)  # type: ignore[arg-type]
    assert "1234567" not in str(error.value)


def test_no_repr_shows_a_secret() -> None:
    envelope = envelope_of(SECRET, Clock())
    for thing in (SECRET, envelope):
        assert "mango" not in repr(thing)
        assert "under" not in repr(thing)


# ---- the envelope


class Clock:
    """Seconds that go on when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def envelope_of(user: UsmUser, clock: Clock, **more: object) -> UsmEnvelope:
    more = {"first_id": 5, "first_salt": 2**64 - 2, "aes": CryptographyAes, **more}
    return UsmEnvelope(user, clock=clock, **more)  # type: ignore[arg-type]


class Talk:
    """An envelope and an agent, each with a clock of its own."""

    def __init__(self, user: UsmUser, *, engine: bytes = ENGINE, boots: int = 3) -> None:
        self.clock = Clock()
        self.agent_clock = Clock()
        self.envelope = envelope_of(user, self.clock)
        self.agent = UsmAgent(engine, USERS, clock=self.agent_clock, boots=boots, aes=CryptographyAes)
        self.agent_clock.now += 500

    def respond(self, message: Message) -> bytes | None:
        return VIEW.answer(message, 1472)

    def seal(self) -> bytes:
        return self.envelope.seal(REQUEST, ID)

    def answer(self) -> bytes:
        found = self.agent.answer(self.seal(), self.respond)
        assert found is not None
        return found

    def read(self, renewals: int = 2) -> list[VarBind]:
        """One answer; the request is sealed anew `renewals` times at most."""
        for _ in range(renewals + 1):
            try:
                data, pos, end = self.envelope.open(self.answer())
            except Renewal as renewal:
                assert renewal.request_id == ID
                continue
            pdu = decode_pdu(data, pos, end)
            assert pdu.request_id == ID
            return pdu.varbinds
        raise AssertionError("renewed too often")

    def refused(self, datagram: bytes, cause: str) -> None:
        """The datagram is no answer, and what is known stays what it was."""
        with pytest.raises(SnmpDecodeError, match=cause) as error:
            self.envelope.open(datagram)
        assert not isinstance(error.value, Renewal | Denial)


GOOD: list[VarBind] = [(NAME, OCTET_STRING, b"school" * 40)]


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.name.decode())
def test_a_first_answer_takes_discovery_and_time_a_further_one_nothing(user: UsmUser) -> None:
    talk = Talk(user)
    assert talk.read(1 if user is PLAIN else 2) == GOOD
    assert talk.agent.reports == ([4] if user is PLAIN else [4, 2])
    for _ in range(3):
        talk.clock.now += 100
        talk.agent_clock.now += 100
        assert talk.read(0) == GOOD


def test_a_reboot_takes_one_renewal_and_another_device_two() -> None:
    talk = Talk(SECRET)
    assert talk.read() == GOOD
    talk.agent.reboot()
    assert talk.read(1) == GOOD
    talk.agent = UsmAgent(OTHER, USERS, clock=talk.agent_clock, aes=CryptographyAes)
    assert talk.read(2) == GOOD


def test_a_report_is_never_data_though_it_is_authenticated_and_encrypted() -> None:
    talk = Talk(SECRET)
    talk.read()
    request = parse_message(talk.seal())
    report = frame_pdu(0xA8, ID, 0, 0, [encode_varbind(NAME, OCTET_STRING, b"data")])
    with pytest.raises(Denial):
        talk.envelope.open(talk.agent.wrap(request, report, 3))


def test_time_moves_by_authenticated_messages_only() -> None:
    talk = Talk(SECRET)
    talk.read()
    before = parse_message(talk.seal())
    talk.agent.boots += 5
    request = parse_message(talk.seal())
    report = frame_pdu(0xA8, ID, 0, 0, [encode_varbind(encode_oid("1.3.6.1.6.3.15.1.1.2.0"), 0x41, 1)])
    talk.refused(talk.agent.wrap(request, report, 0), "time that is not authenticated")
    forged = bytearray(talk.agent.wrap(request, report, 1))
    forged[parse_message(bytes(forged)).digest_from] ^= 1
    talk.refused(bytes(forged), "wrong digest")
    after = parse_message(talk.seal())
    assert (after.boots, after.time) == (before.boots, before.time)


def test_the_time_of_discovery_is_not_believed() -> None:
    talk = Talk(SECRET)
    with pytest.raises(Renewal):
        talk.envelope.open(talk.answer())
    sent = parse_message(talk.seal())
    assert (sent.engine, sent.boots, sent.time) == (ENGINE, 0, 0)


@pytest.mark.parametrize("between", [False, True], ids=["at once", "after another engine"])
def test_boots_never_go_back(between: bool) -> None:
    talk = Talk(SECRET, boots=9)
    talk.read()
    old = UsmAgent(ENGINE, USERS, clock=talk.agent_clock, boots=8, aes=CryptographyAes)
    if between:
        talk.agent = UsmAgent(OTHER, USERS, clock=talk.agent_clock, aes=CryptographyAes)
        talk.read()
    talk.agent = old
    with pytest.raises(Denial, match="8 boots after 9 before"):
        talk.read()
    assert talk.envelope.unanswered() is None
    talk.agent = UsmAgent(ENGINE, USERS, clock=talk.agent_clock, boots=9, aes=CryptographyAes)
    talk.agent_clock.now += 400
    assert talk.read() == GOOD


class Reset(Talk):
    """A device that was known well, and now counts fewer boots; asked `every_s`, on both clocks."""

    def __init__(self, user: UsmUser = SECRET, *, boots: int = 1) -> None:
        super().__init__(user, boots=9)
        self.agent_clock.now += 100_000
        self.read()
        self.wait(5000)
        self.agent = UsmAgent(ENGINE, USERS, clock=self.agent_clock, boots=boots, aes=CryptographyAes)

    def insists(self, times: int, every_s: float = 60) -> None:
        """It is asked, and refused each time."""
        for _ in range(times):
            with pytest.raises(Denial, match="it is believed"):
                self.envelope.open(self.answer())
            self.wait(every_s)

    def wait(self, seconds: float) -> None:
        self.clock.now += seconds
        self.agent_clock.now += seconds


@pytest.mark.parametrize("boots", [1, 9], ids=["fewer boots", "none are counted"])
@pytest.mark.parametrize("user", [AUTHENTIC, SECRET], ids=lambda user: user.name.decode())
def test_a_device_that_lost_its_boots_is_believed_when_it_has_insisted(user: UsmUser, boots: int) -> None:
    talk = Reset(user, boots=boots)
    talk.insists(INSISTED_S // 60)
    assert talk.read(1) == GOOD
    talk.wait(60)
    assert talk.read(0) == GOOD
    talk.agent = UsmAgent(ENGINE, USERS, clock=talk.agent_clock, boots=0, aes=CryptographyAes)
    talk.insists(1)  # what it told last is what it is held to


def test_a_device_that_insists_may_boot_meanwhile() -> None:
    talk = Reset()
    talk.insists(INSISTED_S // 120)
    talk.agent.reboot()
    talk.insists(INSISTED_S // 120)
    assert talk.read(1) == GOOD


def test_often_is_not_long_and_long_is_not_often() -> None:
    often = Reset()
    often.insists(200, INSISTED_S / 201)
    often.insists(1)
    seldom = Reset()
    seldom.insists(INSISTED_TIMES - 1, INSISTED_S)
    assert seldom.read(1) == GOOD


def test_a_timely_message_in_between_ends_all_insisting() -> None:
    """Somebody replays while the device itself is well."""
    talk = Reset()
    reset, real = talk.agent, UsmAgent(ENGINE, USERS, clock=talk.agent_clock, boots=9, aes=CryptographyAes)
    real._started_s -= 105_500
    talk.insists(INSISTED_S // 60 - 1)
    talk.agent = real
    assert talk.read() == GOOD
    talk.agent = reset
    talk.insists(INSISTED_S // 60)


def test_one_recorded_report_is_not_believed_however_often_and_long_it_is_replayed() -> None:
    """Even if its msgID, by a chance of 1 to 2**31, were under way each time: its clock stands still."""
    talk = Reset()
    recorded = talk.answer()
    assert talk.agent.reports == [2]
    for _ in range(500):
        with pytest.raises(Denial):
            talk.envelope.open(recorded)
        talk.refused(recorded, "under way")  # once only for a message of ours
        talk.wait(60)
        talk.envelope._msg_id -= 1
        assert parse_message(talk.seal()).msg_id == parse_message(recorded).msg_id
    sent = parse_message(talk.seal())
    assert sent.boots == 9


def test_only_authentic_reports_about_time_count() -> None:
    talk = Reset()
    pdu = frame_pdu(RESPONSE, ID, 0, 0, [])
    other = frame_pdu(0xA8, ID, 0, 0, [encode_varbind(encode_oid("1.3.6.1.6.3.15.1.1.5.0"), 0x41, 1)])
    late = frame_pdu(0xA8, ID, 0, 0, [encode_varbind(encode_oid("1.3.6.1.6.3.15.1.1.2.0"), 0x41, 1)])
    for _ in range(2 * INSISTED_S // 60):
        request = parse_message(talk.seal())
        for octets in (talk.agent.wrap(request, pdu, 3), talk.agent.wrap(request, other, 1)):
            with pytest.raises(Denial):
                talk.envelope.open(octets)
        forged = bytearray(talk.agent.wrap(request, late, 1))
        forged[parse_message(bytes(forged)).digest_from] ^= 1
        talk.refused(bytes(forged), "wrong digest")
        talk.refused(talk.agent.wrap(request, late, 0), "time that is not authenticated")
        talk.wait(60)
    talk.insists(1)


def test_the_last_boot_of_all_cannot_be_insisted_on() -> None:
    talk = Reset(boots=MAX_31)
    for _ in range(2 * INSISTED_S // 60):
        with pytest.raises(SnmpDecodeError) as error:
            talk.envelope.open(talk.answer())
        assert not isinstance(error.value, Renewal)
        talk.wait(60)


def test_a_late_message_and_the_last_boot_of_all_are_out_of_time() -> None:
    talk = Talk(SECRET)
    talk.read()
    request = parse_message(talk.seal())
    pdu = frame_pdu(RESPONSE, ID, 0, 0, [])
    talk.agent_clock.now -= 1
    talk.clock.now += 200
    talk.refused(talk.agent.wrap(request, pdu, 3), "time window")
    talk.agent.boots = MAX_31
    talk.refused(talk.agent.wrap(request, pdu, 3), "time window")


@pytest.mark.parametrize("user", [AUTHENTIC, SECRET], ids=lambda user: user.name.decode())
@pytest.mark.parametrize("level", [0, 1, 3])
def test_nothing_below_the_level_asked_for_is_taken(user: UsmUser, level: int) -> None:
    talk = Talk(user)
    talk.read()
    request = parse_message(talk.seal())
    answer = talk.agent.wrap(request, frame_pdu(RESPONSE, ID, 0, 0, []), level & user.level)
    if level & user.level == user.level:
        talk.envelope.open(answer)
    else:
        talk.refused(answer, "below the level")


def test_an_answer_belongs_to_its_message_request_engine_user_and_context() -> None:
    pdu = frame_pdu(RESPONSE, ID, 0, 0, [])
    for user in USERS:
        talk = Talk(user)
        talk.read()
        request = parse_message(talk.seal())
        wrap = talk.agent.wrap
        level = user.level
        talk.refused(wrap(request._replace(msg_id=request.msg_id + 1), pdu, level), "under way")
        talk.refused(wrap(request, frame_pdu(RESPONSE, ID + 1, 0, 0, []), level), "two requests")
        talk.refused(wrap(request, frame_pdu(GET, ID, 0, 0, []), level), "no Response-PDU")
        other = UsmAgent(OTHER, USERS, clock=talk.agent_clock, boots=3, aes=CryptographyAes)
        talk.refused(other.wrap(request, pdu, level), "another engine or user")
        if user is PLAIN:
            talk.refused(wrap(request._replace(user=b"other"), pdu, level), "another engine or user")
        good = wrap(request, pdu, level)
        talk.envelope.open(good)
        talk.refused(good, "under way")  # a second time


def test_another_context_is_refused() -> None:
    talk = Talk(PLAIN)
    talk.read()
    answer = talk.answer()
    scope = tlv(OCTET_STRING, ENGINE) + tlv(OCTET_STRING, b"")
    foreign = tlv(OCTET_STRING, OTHER) + tlv(OCTET_STRING, b"")
    assert answer.count(scope) == 1
    talk.refused(answer.replace(scope, foreign), "another context")


@pytest.mark.parametrize("length", [0, 1, 11])
def test_a_digest_that_is_cut_is_a_wrong_one(length: int) -> None:
    talk = Talk(AUTHENTIC)
    talk.read()
    message = parse_message(talk.answer())
    whole, cut = tlv(OCTET_STRING, message.digest), tlv(OCTET_STRING, message.digest[:length])
    params_from = 4 + 3 + message.data[8] + 2  # behind msgGlobalData, whose length is one octet
    shorter = message.data[params_from:].replace(whole, cut)
    missing = len(whole) - len(cut)
    head = bytearray(message.data[:params_from] + shorter)
    head[2:4] = (int.from_bytes(head[2:4], "big") - missing).to_bytes(2, "big")
    for at in (params_from + 1, params_from + 3):
        head[at] -= missing
    parsed = parse_message(bytes(head))
    assert parsed.digest == message.digest[:length]
    talk.refused(bytes(head), "wrong digest")


def test_no_salt_is_used_twice() -> None:
    talk = Talk(SECRET)
    talk.read()
    salts = [parse_message(talk.seal()).salt for _ in range(50)]
    assert len(set(salts)) == 50
    assert {len(salt) for salt in salts} == {8}


@pytest.mark.parametrize("engine", [b"", b"\x80\x00\x00\x00", bytes(12), b"our own engine", b"x" * 33])
def test_no_agent_has_an_engine_that_is_empty_or_our_own(engine: bytes) -> None:
    clock = Clock()
    envelope = envelope_of(PLAIN, clock, own_engine=b"our own engine")
    agent = UsmAgent(engine, USERS, clock=clock)
    request = parse_message(envelope.seal(REQUEST, ID))
    report = frame_pdu(0xA8, 0, 0, 0, [encode_varbind(encode_oid("1.3.6.1.6.3.15.1.1.4.0"), 0x41, 1)])
    with pytest.raises(SnmpDecodeError, match="no engine that an agent can have"):
        envelope.open(agent.wrap(request, report, 0))


@pytest.mark.parametrize(
    ("user", "why"),
    [
        (UsmUser(name=b"nobody"), Refusal.USER),
        (UsmUser(name=b"secret", auth="SHA", auth_password=b"wrong-one"), Refusal.AUTH),
        (UsmUser(name=b"plain", auth="SHA", auth_password=b"mango-tree"), Refusal.LEVEL),
    ],
)
def test_the_agent_says_what_it_does_not_take(user: UsmUser, why: Refusal) -> None:
    talk = Talk(PLAIN)
    talk.envelope = envelope_of(user, talk.clock)
    with pytest.raises(Denial) as denial:
        talk.read()
    assert denial.value.why is why
    assert denial.value.request_id == ID
    assert user.name.decode() in str(denial.value)
    assert "wrong-one" not in str(denial.value)


def test_silence_after_authentication_is_a_wrong_privacy_password_but_not_later_on() -> None:
    talk = Talk(SECRET)
    for _ in range(2):
        with pytest.raises(Renewal):
            talk.envelope.open(talk.answer())
    talk.seal()
    denial = talk.envelope.unanswered()
    assert denial is not None and denial.why is Refusal.PRIV
    talk.read()
    talk.seal()
    assert talk.envelope.unanswered() is None
    assert parse_message(talk.seal()).engine == b"", "after silence comes discovery"


# ---- hostile octets


def conversation(user: UsmUser) -> tuple[Talk, list[bytes]]:
    """Every kind of message that an agent sends: two Reports and two answers."""
    talk, heard = Talk(user), []
    for _ in range(4):
        answer = talk.answer()
        heard.append(answer)
        with suppress(Renewal):
            talk.envelope.open(answer)
    return talk, heard


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.name.decode())
def test_every_truncation_is_a_decode_error(user: UsmUser) -> None:
    _, heard = conversation(user)
    for message in heard:
        for end in range(len(message)):
            talk = Talk(user)
            talk.seal()
            with pytest.raises(SnmpDecodeError):
                talk.envelope.open(message[:end])
            with pytest.raises(SnmpDecodeError):
                parse_message(message[:end])


def test_a_header_of_known_shape_is_read_in_one_stroke_as_the_parser_reads_it() -> None:
    """What becomes of spoilt ones stands in test_mutations.py."""
    for user in USERS:
        talk, heard = conversation(user)
        shape = HeaderShape(parse_message(heard[-1]))
        for _ in range(3):
            talk.clock.now += 7
            talk.agent_clock.now += 7
            answer = talk.answer() + b"pad"
            assert shape.read(answer) == parse_message(answer)


def test_a_frame_that_grows_is_still_one_message() -> None:
    """Lengths around the borders of their encoding."""
    for size in (0, 50, 100, 127, 128, 200, 255, 256, 1000):
        talk = Talk(SECRET)
        talk.read()
        request = parse_message(talk.seal())
        pdu = frame_pdu(RESPONSE, ID, 0, 0, [encode_varbind(NAME, OCTET_STRING, bytes(size))])
        data, pos, end = talk.envelope.open(talk.agent.wrap(request, pdu, 3))
        assert data[pos:end] == pdu
