"""Memory that a program no longer needs, given back to the system."""

from __future__ import annotations


def give_back() -> None:
    """What a thread used for a moment glibc keeps for that thread: imports done beside leave some megabytes.
    Where the C library knows no such call (musl, macOS) nothing happens (malloc_trim(3))."""
    import ctypes

    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        return
