"""Whoever is killed while people are told loses no message and repeats none without saying so."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import people_teller
import stand_ins
from people_town import NETWORK
from stand_ins import BotStandIn

KILLS = 8
AGAIN = "(Perhaps you have this already.)"
PERSON = "people: {ana: {language: en, notify: {phone: {kind: telegram, chat: '42'}}}}\n"


def test_each_alert_is_told_once_whenever_the_teller_is_killed(tmp_path: Path) -> None:
    chance = random.Random(7)
    with stand_ins.web(BotStandIn()) as bot:
        assert isinstance(bot, BotStandIn)
        access = f"telegram: {{token: 'file:{tmp_path}/token', server: 'http://127.0.0.1:{bot.port}'}}"
        (tmp_path / "token").write_text(bot.token)
        text = NETWORK.replace("poll_s: 60}", f"poll_s: 60, {access}}}") + PERSON
        (tmp_path / "network.yaml").write_text(text)

        def teller(new: int) -> subprocess.Popen[str]:
            command = [sys.executable, str(Path(people_teller.__file__)), str(tmp_path), str(new)]
            return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

        for _ in range(KILLS):
            before = len(bot.asked)
            with teller(1000) as process:
                end = time.monotonic() + 20
                while len(bot.asked) == before and time.monotonic() < end:
                    assert process.poll() is None, "it ended by itself"
                    time.sleep(0.005)
                time.sleep(chance.uniform(0.0, 0.25))
                process.kill()
        with teller(0) as process:
            assert process.stdout is not None
            told = int(process.stdout.readline())
            process.kill()
    plain = Counter(text for _chat, text in bot.written if AGAIN not in text)
    marked = Counter(text.replace(f"\n{AGAIN}", "") for _chat, text in bot.written if AGAIN in text)
    assert told > KILLS
    assert len(set(plain) | set(marked)) == told
    assert max(plain.values()) == 1, "nothing twice that does not say so"
    assert sum(marked.values()) <= 2 * KILLS
