"""A serial port read from the event loop: opened for this program alone, its troubles as sentences.

Only this file knows pyserial. A pseudo terminal does as well as a real port.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os

import serial

from ayni_agent.eyes import EyeError
from ayni_io.i18n import _

_MOST = 4096


class SerialPort:
    """An open port. `read` waits for octets; other programs are kept off it."""

    def __init__(self, path: str, baud: int) -> None:
        self._path = path
        try:
            self._port = serial.Serial(path, baud, timeout=0, write_timeout=0, exclusive=True)
        except (serial.SerialException, OSError, ValueError) as error:
            raise EyeError(_why(path, error)) from None

    def forget(self) -> None:
        """Drop what has come and was not read: it is old."""
        with contextlib.suppress(serial.SerialException, OSError):
            self._port.reset_input_buffer()

    async def read(self, within_s: float) -> bytes:
        """What has come; b"" when nothing comes within that time. Raises `EyeError` when the port is gone."""
        loop, fd = asyncio.get_running_loop(), self._port.fileno()
        ready = asyncio.Event()
        loop.add_reader(fd, ready.set)
        try:
            async with asyncio.timeout(within_s):
                await ready.wait()
            octets = os.read(fd, _MOST)
        except TimeoutError:
            return b""
        except BlockingIOError:
            return b""
        except OSError as error:
            raise EyeError(_why(self._path, error)) from None
        finally:
            loop.remove_reader(fd)
        if not octets:  # ready, and nothing there: the other end has gone
            raise EyeError(_gone(self._path))
        return octets

    def close(self) -> None:
        """Give the port back."""
        with contextlib.suppress(serial.SerialException, OSError):
            self._port.close()


def _gone(path: str) -> str:
    return _("{port}: the cable was pulled out, or its adapter lost its power", port=path)


def _why(path: str, error: Exception) -> str:
    """Why a port cannot be opened or read, and what helps."""
    match getattr(error, "errno", None):
        case errno.ENOENT:
            return _("{port}: no such port; is the cable plugged in?", port=path)
        case errno.EACCES | errno.EPERM:
            return _(
                "{port}: this program may not open it; add its user to the group dialout and start it anew",
                port=path,
            )
        case errno.EBUSY | errno.EAGAIN:
            return _("{port}: another program uses this port", port=path)
        case errno.EIO | errno.ENXIO | errno.ENODEV:
            return _gone(path)
        case errno.ENOTTY | errno.EINVAL:
            return _("{port}: is no serial port", port=path)
    if "lock" in str(error):  # pyserial gives no number then
        return _("{port}: another program uses this port", port=path)
    if isinstance(error, serial.SerialException) and "configure" in str(error):
        return _("{port}: is no serial port", port=path)
    return _("{port}: cannot be opened: {cause}", port=path, cause=error)
