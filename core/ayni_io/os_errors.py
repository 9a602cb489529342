"""Why the operating system refused something, so that it can be said in the language of the reader."""

from __future__ import annotations

import errno

from ayni_core.message import Phrase

_COMMON = {
    errno.EACCES: "errno.denied",
    errno.EADDRINUSE: "errno.address_in_use",
    errno.EADDRNOTAVAIL: "errno.address_not_here",
    errno.ECONNREFUSED: "errno.refused",
    errno.EEXIST: "errno.exists",
    errno.EIO: "errno.io",
    errno.EISDIR: "errno.is_folder",
    errno.ENOENT: "errno.not_there",
    errno.ENOSPC: "errno.no_space",
    errno.ENOTDIR: "errno.no_folder",
    errno.EPERM: "errno.not_permitted",
    errno.EROFS: "errno.read_only",
    errno.ETIMEDOUT: "errno.timed_out",
}
"""Their English is what `strerror` says."""


def os_cause(error: OSError) -> Phrase | str:
    """What people meet most, to be translated; of the rest what the system says."""
    known = _COMMON.get(error.errno or 0)
    return Phrase(known) if known else error.strerror or str(error)
