"""Build hook: compiles the translations, and ships configs/ inside a wheel (never in an editable install).

An editable install reads `configs/` from the checkout: a copy made at install time would go stale.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AyniBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        for po in sorted((root / "core/ayni_io/locale").glob("*/LC_MESSAGES/*.po")):
            with po.open("rb") as source, po.with_suffix(".mo").open("wb") as target:
                write_mo(target, read_po(source, locale=po.parent.parent.name))
        if self.target_name == "wheel" and version != "editable":
            build_data["force_include"][str(root / "configs")] = "ayni_io/_configs"
