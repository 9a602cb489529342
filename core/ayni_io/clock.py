"""The machine's clocks: monotonic seconds, wall seconds, whether the wall clock is synchronised, the boot."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path

_STA_UNSYNC = 0x0040  # include/uapi/linux/timex.h
_TIME_ERROR = 5


def monotonic_s() -> float:
    """Seconds that never jump; they keep counting while the wall clock is set."""
    return time.monotonic()


def wall_s() -> float:
    """Seconds since 1970, UTC, as this machine believes."""
    return time.time()


def synchronised() -> bool:
    """Whether the kernel says that something keeps the wall clock right (adjtimex(2)).

    Where the kernel cannot be asked, the answer is no: the hub then places readings by its own clock.
    """
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        # struct timex: unsigned modes, then longs; status is the fifth. 64 longs are larger than any of them.
        timex = (ctypes.c_long * 64)()
        state = libc.adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return False
    status = ctypes.cast(ctypes.byref(timex), ctypes.POINTER(ctypes.c_int))[
        5 * ctypes.sizeof(ctypes.c_long) // ctypes.sizeof(ctypes.c_int)
    ]
    return state not in (-1, _TIME_ERROR) and not status & _STA_UNSYNC


def boot_id() -> str:
    """A name for this boot of this machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return f"b{int(time.time() - time.monotonic())}"
