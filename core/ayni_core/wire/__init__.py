"""The wire: the only place that knows topics and payloads. `docs/protocol.md` describes it.

`topics` who may say what where · `frame` what an agent sends · `field` and `plain` its two encodings ·
`messages` everything else. Bytes from the network are hostile: they are decoded whole or `WireError`.
"""

from ayni_core.wire.errors import WireError

__all__ = ["WireError"]
