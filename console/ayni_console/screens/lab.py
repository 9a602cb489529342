"""The lab: break a pretend network, try repairs, see whether they mended it."""

from __future__ import annotations

from typing import ClassVar

from ayni_console import verify
from ayni_console.feed import NoAnswer
from ayni_console.screens.page import Page
from ayni_console.view import repair as view
from ayni_console.view.page import Look, Row
from ayni_core.wire.messages import LabDo
from ayni_io.i18n import _, say


class LabPage(Page):
    """Enter breaks or repairs what is selected."""

    TOPIC = "lab"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "home", "advice", "events", "note", "help", "back")

    def __init__(self) -> None:
        super().__init__()
        self.said = ""

    def crumb(self) -> str:
        """The lab."""
        return _("Lab")

    def rows(self, look: Look) -> list[Row]:
        """Faults, repairs, verdict."""
        watched = self.app.verifying.get(("lab", ""))
        return view.lab_rows(self.app.model, watched, self.said, look, village=self.app.village)

    def enter_does(self) -> str:
        """It breaks or repairs."""
        return _("do it")

    def open_row(self, key: str) -> None:
        """Break, repair or mend everything."""
        do, _colon, what = key.partition(":")
        if do == "next":
            self.app.leave()
            return
        self.fetch(self._do(do, what), "lab")

    async def _do(self, do: str, what: str) -> None:
        now = self.app.now()
        before = verify.troubled(self.app.model, now)
        try:
            await self.app.feed.lab_do(LabDo(do=do, what=what))
        except NoAnswer as problem:
            self.said = str(problem)
        else:
            name = self._title(what)
            if do == "break":
                self.said = _("Broken: {what}. Press h and watch Home.", what=name)
                self.app.verifying.pop(("lab", ""), None)
            else:
                self.said = _("Tried: {what}.", what=name) if what else _("Everything is mended.")
                self._watch(before & self._about(what) if what else before, now)
        self.paint()

    def _watch(self, things: set[verify.Thing], now: float) -> None:
        """Watch what was in trouble where the repair was tried; elsewhere there is nothing to prove."""
        self.app.verifying.pop(("lab", ""), None)
        if things:
            self.app.verifying["lab", ""] = verify.begin(self.app.model, now, things)

    def _about(self, what: str) -> set[verify.Thing]:
        lab = self.app.model.lab
        pairs = [
            pair for repair in (lab.repairs if lab else ()) if repair.id == what for pair in repair.about
        ]
        return {(pair[0], pair[1]) for pair in pairs if len(pair) == 2}

    def _title(self, what: str) -> str:
        lab = self.app.model.lab
        if lab is None:
            return what
        titles = {fault.id: fault.title for fault in lab.faults}
        titles |= {repair.id: repair.title for repair in lab.repairs}
        return say(titles[what]) if what in titles else what
