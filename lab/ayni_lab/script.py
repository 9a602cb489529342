"""The script of a lab: breaks and repairs what it is told to, and says what happened. It knows no MQTT."""

from __future__ import annotations

from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.wire.messages import Fault, LabDo, LabState, Repair
from ayni_lab.conditions import Conditions
from ayni_lab.repairs import offers
from ayni_lab.scenario import Scenario


class Script:
    """One scenario at work on the conditions of one network. Times are seconds since 1970."""

    def __init__(self, scenario: Scenario, network: Network, conditions: Conditions, now: float) -> None:
        self._faults = scenario.faults
        self._network = network
        self._conditions = conditions
        self._repairs = offers(list(scenario.faults.values()), network)
        self._since: dict[str, float] = {}
        self._last = Message("lab.said.welcome")
        self._at = now
        for fault in self._faults.values():
            if fault.active:
                fault.strike(conditions)
                self._since[fault.name] = now

    def state(self) -> LabState:
        """What can be broken, what can be tried, and the last word."""
        faults = []
        for fault in self._faults.values():
            active = fault.is_active(self._conditions)
            since = self._since.get(fault.name) if active else None
            faults.append(Fault(id=fault.name, title=fault.title(self._network), active=active, since=since))
        network = self._network
        repairs = [
            Repair(id=plan.name, title=plan.title(network), about=plan.place.about(network))
            for plan in self._repairs.values()
        ]
        return LabState(faults=tuple(faults), repairs=tuple(repairs), last=self._last, at=self._at)

    def do(self, order: LabDo, now: float) -> Message:
        """Carry out an order, and say what happened."""
        self._last, self._at = self._carry_out(order, now), now
        return self._last

    def _carry_out(self, order: LabDo, now: float) -> Message:
        fault, repair = self._faults.get(order.what), self._repairs.get(order.what)
        if order.do == "break" and fault is not None:
            what = fault.title(self._network)
            if fault.is_active(self._conditions):
                return Message("lab.said.already")
            fault.strike(self._conditions)
            self._since[fault.name] = now
            return Message(f"lab.done.{fault.kind}", what.values)
        if order.do == "repair" and repair is not None:
            return repair.attempt(self._conditions, self._network, now)
        if order.do == "reset":
            self._conditions.clear()
            return Message("lab.said.reset")
        return Message("lab.said.unknown", {"what": order.what or order.do})
