"""The machine's clocks: monotonic seconds, wall seconds, whether the wall clock is synchronised, the boot."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # whoever only asks for seconds starts sooner without
    import ctypes

    from ayni_core.clockwatch import ClockWatch, Moment

_STA_UNSYNC = 0x0040  # include/uapi/linux/timex.h
_TIME_ERROR = 5
_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)
_TOGETHER_S, _TRIES = 0.01, 5


def monotonic_s() -> float:
    """Seconds that never jump: they go on while the wall clock is set and, on Linux, during a suspend."""
    return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)


def wall_s() -> float:
    """Seconds since 1970, UTC, as this machine believes."""
    return time.time()


def look(watch: ClockWatch) -> Moment:
    """What all the clocks say now; a step of the wall clock since the last look is noticed."""
    for _ in range(_TRIES):  # a process that is put aside between two clocks would see a step that never was
        before, wall, after = monotonic_s(), wall_s(), monotonic_s()
        if after - before < _TOGETHER_S:
            break
    return watch.look((before + after) / 2, wall, synchronised())


def synchronised() -> bool:
    """Whether the kernel says that something keeps the wall clock right (adjtimex(2)).

    Where the kernel cannot be asked, the answer is no: the hub then places readings by its own clock.
    """
    import ctypes

    try:
        libc = _libc()
        # struct timex: unsigned modes, then longs; status is the fifth. 64 longs are larger than any of them.
        timex = (ctypes.c_long * 64)()
        state = libc.adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return False
    status = ctypes.cast(ctypes.byref(timex), ctypes.POINTER(ctypes.c_int))[
        5 * ctypes.sizeof(ctypes.c_long) // ctypes.sizeof(ctypes.c_int)
    ]
    return state not in (-1, _TIME_ERROR) and not status & _STA_UNSYNC


@functools.cache
def _libc() -> ctypes.CDLL:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def boot_id() -> str:
    """A name for this boot of this machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return f"b{int(time.time() - monotonic_s())}"
