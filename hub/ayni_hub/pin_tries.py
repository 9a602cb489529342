"""The wrong PINs in a row, in a file beside the PINs: a central that starts anew goes on counting.

What was wrong is on the disk before it is answered, so nobody tries on by ending the central. No time of day
is in it, for that can be set: a wait ends by the clock of the machine's boot, with the name of that boot.
After another boot each wait begins anew, whole. So neither a restart nor a clock that is set frees anybody,
and nobody waits longer than the longest wait once the machine is up.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ayni_core import pin
from ayni_core.schema import NAME
from ayni_io import clock, files

log = logging.getLogger("hub")
FILE = "pin-tries.json"
MOST = 1000
"""People on logins that are remembered; of more, those with the fewest wrong ones are forgotten."""
_MOST_WRONG = 1_000_000
_LARGEST = 1 << 20
_Key = tuple[str, str]
"""The login, and the person on it."""


class PinTries:
    """`path`: where the file is; without one all is forgotten with the process. `clock` is one that nobody
    can set, `boot` names the boot that it counts from."""

    def __init__(
        self,
        path: Path | None = None,
        clock: Callable[[], float] = clock.monotonic_s,
        boot: Callable[[], str] = clock.boot_id,
    ) -> None:
        self._path = path
        self._clock = clock
        self._boot = boot()
        self._failing = False
        self._kept: dict[_Key, pin.Tries] = {}
        if path is not None:
            self._load(path)

    def wait_s(self, login: str, person: str) -> float:
        """Seconds until the next PIN of a person is looked at there."""
        tries = self._kept.get((login, person))
        return 0.0 if tries is None else tries.wait_s(self._clock())

    def was_wrong(self, login: str, person: str) -> int:
        """One more; how many in a row that makes. Blocks until it is on the disk."""
        tries = self._kept.pop((login, person), None) or pin.Tries()
        tries.was_wrong(self._clock())
        while len(self._kept) >= MOST:
            del self._kept[min(self._kept, key=lambda each: self._kept[each].wrong)]
        self._kept[login, person] = tries
        self._write()
        return tries.wrong

    def was_right(self, login: str, person: str) -> None:
        """The wrong ones before it count no more. Blocks until it is on the disk."""
        if self._kept.pop((login, person), None) is not None:
            self._write()

    # ---- the file

    def _load(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                found = json.loads(file.read(_LARGEST))
            same = found["boot"] == self._boot
            now_s = self._clock()
            self._kept = dict(_read(each, now_s, same_boot=same) for each in found["tries"][:MOST])
        except FileNotFoundError:
            return
        except OSError as error:
            log.error("pin tries not read file=%s cause=%s", path, error.strerror)
            return
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            log.error("pin tries not read file=%s cause=damaged: wrong PINs are counted anew", path)
            return
        if not same and self._kept:
            self._write()  # a wait that began anew with this boot does not so again with each restart

    def _write(self) -> None:
        """What cannot be written is still counted in memory, and goes with the next."""
        if self._path is None:
            return
        kept = [
            {"login": login, "person": person, "wrong": tries.wrong, "until_s": round(tries.until_s, 3)}
            for (login, person), tries in sorted(self._kept.items())
        ]
        text = json.dumps({"boot": self._boot, "tries": kept}, indent=1) + "\n"
        try:
            files.write_durably(self._path, text, mode=0o600)
        except OSError as error:
            if not self._failing:
                log.error("pin tries not kept file=%s cause=%s", self._path, error.strerror)
            self._failing = True
            return
        if self._failing:
            log.info("pin tries kept again")
        self._failing = False


def _read(found: Mapping[str, Any], now_s: float, *, same_boot: bool) -> tuple[_Key, pin.Tries]:
    """One entry. Raises `ValueError` and the like for what we never wrote."""
    login, person, wrong, until_s = (found[key] for key in ("login", "person", "wrong", "until_s"))
    if not (NAME.fullmatch(login) and NAME.fullmatch(person)) or type(wrong) is not int:
        raise ValueError
    if not 1 <= wrong <= _MOST_WRONG or isinstance(until_s, bool) or not math.isfinite(until_s):
        raise ValueError
    return (login, person), pin.Tries.resumed(wrong, float(until_s) if same_boot else None, now_s)
