"""The agent's budget at work: fed with what the connection counts, kept with every commit, told in notes."""

from __future__ import annotations

import logging

from ayni_agent.budget import MB, Budget, Saving
from ayni_agent.keeper import Keeper
from ayni_agent.status import BudgetStatus
from ayni_core.wire.note import FrameNote
from ayni_io.traffic import Traffic

log = logging.getLogger("agent")
BUDGET = "budget"


class Purse:
    """One agent's. `saving` is the step that is in force."""

    def __init__(self, keeper: Keeper, cap_mb: float | None) -> None:
        self._keeper = keeper
        self._budget, lost = Budget.from_bytes(keeper.outbox.state(BUDGET), _bytes(cap_mb))
        if lost is not None:
            log.warning("budget damaged; counting begins anew")
            keeper.note(FrameNote(at_s=keeper.look().mono_s, text=lost, level="note"))
        keeper.remember(BUDGET, self._budget.to_bytes)

    @property
    def saving(self) -> Saving:
        """How much is saved now."""
        return self._budget.saving

    def use(self, cap_mb: float | None) -> None:
        """Another cap is in force."""
        self._budget.cap_bytes = _bytes(cap_mb)

    def count(self, total: Traffic) -> bool:
        """Book what was spent; whether another step of saving begins."""
        at = self._keeper.look()
        self._budget.spend(total, at)
        told = self._budget.decide(at)
        if told is None:
            return False
        step = self._budget.step
        log.warning(
            "saving step=%d %s", step, " ".join(f"{key}={value}" for key, value in told.values.items())
        )
        self._keeper.note(FrameNote(at_s=at.mono_s, text=told, level="warn" if step else "info"))
        return True

    def status(self) -> BudgetStatus:
        """What people are shown."""
        account = self._budget.account(self._keeper.look())
        return BudgetStatus(
            today_bytes=account.today_bytes,
            month_bytes=account.month_bytes or account.undated_bytes,
            cap_bytes=account.cap_bytes,
            forecast_bytes=account.forecast_bytes,
            saving=account.step,
            counted=account.counted,
        )


def _bytes(cap_mb: float | None) -> int | None:
    return None if cap_mb is None else round(cap_mb * MB)
