"""Makes one target run what its specification asks, under one claim: adopt, or stop the old and start the new, or go back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from agents.cutting import told
from agents.process_host.place import Around, NoHooks, Orderer, Orders
from agents.process_host.records import Job, Run, RunSpec, Slot, State
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim, FenceLost, may_adopt, require_highest
from fairlead.domain.health import Health

LOOK_EVERY: Final = 0.2


@dataclass(slots=True)
class Rollout:
    """One apply. `plans` stand in start order."""

    control: Orders
    spec: Job
    claim: Claim
    plans: Sequence[RunSpec]
    orderer: Orderer
    hooks: Around = field(default_factory=NoHooks)
    touched: list[str] = field(default_factory=list)
    """Components that this task has changed, in that order."""

    def carry_out(self) -> None:
        """Raises FenceLost, having undone its own; Refused (start_failed, unhealthy), having put the old ones back; Unavailable."""
        try:
            self._all_or_nothing()
        except FenceLost:
            self._undo()
            raise

    def _all_or_nothing(self) -> None:
        # What a killed attempt has stopped is ours to put back, too.
        self.touched += [name for name, slot in self._state().slots.items() if slot.kept and not slot.run]
        try:
            self.hooks.quiet()
            self.hooks.run("pre")
            for plan in self.plans:
                self._bring(plan)
            self.hooks.run("post")
            self._confirm()
        except FenceLost:
            raise
        except Refused as refused:
            self._go_back(refused)
            raise

    def _bring(self, plan: RunSpec) -> None:
        run = self._slot(plan.component).run
        if run and self._may_keep(run, plan):
            self.control.adopt(self.claim, plan.component, run.number)
            if self._is_of_this_task(run):
                self.touched.append(plan.component)
        else:
            secrets = self.orderer.secrets(plan.component) if plan.secrets else {}
            self._make_room(plan)
            self.orderer.reach("after_stop_old")
            self.touched.append(plan.component)
            self.control.start(self.claim, plan, secrets)
            self.orderer.reach("after_create")
        self._await_healthy(plan.component, time.monotonic() + self.spec.healthy_deadline)

    def _is_of_this_task(self, run: Run) -> bool:
        return Claim.parse(run.spec.fence).number == self.claim.number

    def _may_keep(self, run: Run, plan: RunSpec) -> bool:
        """What a lower attempt of our own number has begun may still be coming up; what others made must be healthy now."""
        asked = (run.spec.labels["digest"], run.spec.labels["config"]) == (plan.labels["digest"], plan.labels["config"])
        if not asked or not may_adopt(self.claim, Claim.parse(run.spec.fence), is_rollback=self.spec.is_rollback):
            return False
        return self._is_of_this_task(run) or self.control.glance(run).health == Health.HEALTHY

    def _make_room(self, plan: RunSpec) -> None:
        """Stop the old one, and what else of this target has its ports (a renamed component, say)."""
        for name, slot in reversed(self._state().slots.items()):
            run = slot.run
            if run and (name == plan.component or set(run.spec.ports) & set(plan.ports)):
                self.control.stop(self.claim, name, run.number, run.spec.stop_grace)
                if name != plan.component:
                    self.touched.append(name)

    def _await_healthy(self, component: str, until: float) -> Run:
        while True:
            self.orderer.beat()
            run = self._running(component)
            finding = self.control.glance(run)
            if finding.health == Health.HEALTHY:
                return run
            if self.control.gave_up(run):
                raise self._failure(Code.START_FAILED, run, f"{component} ended {run.exits} times, {run.last_exit}")
            if time.monotonic() > until:
                seconds = self.spec.healthy_deadline
                raise self._failure(
                    Code.UNHEALTHY, run, f"{component} was not healthy within {seconds:g} s: {finding.detail}"
                )
            time.sleep(LOOK_EVERY)

    def _confirm(self) -> None:
        """All are healthy: they are what to go back to from now on, and what else lower numbers made goes."""
        for plan in self.plans:
            self.control.confirm(self.claim, plan.component, self._running(plan.component).number)
        ours = {plan.component for plan in self.plans}
        for name, slot in reversed(self._state().slots.items()):
            if name not in ours:
                self.control.remove(self.claim, name, _grace(slot))

    def _go_back(self, refused: Refused) -> None:
        """Start again what ran before, and say in the refusal how that went."""
        back: dict[str, str] = {}
        for name in reversed(list(dict.fromkeys(self.touched))):
            slot = self._slot(name)
            if slot.kept:
                back[name] = self._came_back(name, _grace(slot))
            else:
                self.control.remove(self.claim, name, _grace(slot))
                back[name] = "nothing ran before"
        refused.fields["restored"] = back

    def _came_back(self, component: str, grace: float) -> str:
        """What is said of it, also where it does not start: the others are to come back all the same."""
        try:
            self.control.restore(self.claim, component, grace)
            self._await_healthy(component, time.monotonic() + self.spec.healthy_deadline)
        except FenceLost:
            raise
        except Refused as refused:
            return f"started again, but {refused.code}"
        return "healthy again"

    def _undo(self) -> None:
        """A higher claim decides now; only take away what this one started."""
        for name, slot in reversed(self._state().slots.items()):
            run = slot.run
            if run and run.holder == str(self.claim) == run.spec.fence:
                self.control.undo(self.claim, name, run.number, _grace(slot))

    def _failure(self, code: Code, run: Run, detail: str) -> Refused:
        output = told(self.orderer.mask_output(self.control.last_words(run)))
        said = f"; its last words:\n{output}" if output else ", and said nothing"
        return Refused(code, detail + said, fields={"component": run.spec.component, "exits": run.exits, "log": output})

    def _running(self, component: str) -> Run:
        run = self._slot(component).run
        if run is None:
            # Only a higher claim takes away what is ours, and the claims say so; else it is for the next attempt.
            require_highest(self.claim, self.control.claims())
            raise Refused(Code.START_FAILED, f"{component} was stopped by somebody else")
        return run

    def _slot(self, component: str) -> Slot:
        return self._state().slots.get(component) or Slot()

    def _state(self) -> State:
        return self.control.status()


def _grace(slot: Slot) -> float:
    return max((s.stop_grace for s in (slot.run and slot.run.spec, slot.kept) if s), default=0.0)
