"""Random schedules for a lane: what people, hands and time do to promotions, one thing after another, and what must hold then."""

import asyncio
import itertools
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from temporalio.client import RPCError, WorkflowHandle

from fairlead.contracts import names
from fairlead.contracts.votes import Choice
from fairlead.domain.codes import Code
from fairlead.domain.states import PromotionState
from fairlead.store import lanes, promotions, restraints
from tests.workers.field import Field
from tests.workers.stage import reset_workflow
from workers.clock import now

DEADLINE = 600.0
PAUSE = 0.5
FORWARDING = 1.0
"""Seconds to wait for time to pass in a workflow: while something is at work there, it does not."""
MOST = 2
"""Promotions in one schedule: two are enough to get into each other's way."""

apis = st.integers(0, 1)
whiches = st.integers(0, MOST - 1)
RESTRAIN = (("POST", "freezes"), ("DELETE", "freezes"), ("POST", "holds"), ("DELETE", "holds"))


class Lane(RuleBasedStateMachine):
    """One environment, in which one schedule is played after the other."""

    field: ClassVar[Field]
    name: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.promotions: list[str] = []
        self._nonces = itertools.count(1)

    @initialize(api=apis, through=st.booleans())
    def begin(self, api: int, through: bool) -> None:
        self._promote(api, through)

    @precondition(lambda self: len(self.promotions) < MOST)
    @rule(api=apis, through=st.booleans())
    def promote(self, api: int, through: bool) -> None:
        self._promote(api, through)

    @rule(api=apis, how=st.sampled_from(RESTRAIN))
    def restrain(self, api: int, how: tuple[str, str]) -> None:
        method, what = how
        self._ask(api, "ana", method, f"/projects/shop/environments/{self.name}/{what}", {"reason": "a test"})

    @rule(api=apis, which=whiches, choice=st.sampled_from((Choice.APPROVE, Choice.APPROVE, Choice.REJECT)))
    def vote(self, api: int, which: int, choice: Choice) -> None:
        self._vote(api, self._which(which), choice)

    @rule(api=apis, which=whiches)
    def cancel(self, api: int, which: int) -> None:
        self._cancel(api, self._which(which))

    @rule(
        which=whiches,
        on=st.sampled_from(("promotion", "deployment", "lane")),
        hand=st.sampled_from(("terminate", "cancel", "reset")),
    )
    def lay_hand(self, which: int, on: str, hand: str) -> None:
        """Hands come too early, too late, or to what is not there: Temporal says so."""
        with suppress(RPCError, IndexError):
            self.field.run(_hand(self.field, hand, self._workflow(self._which(which), on)))

    @rule(is_broken=st.booleans())
    def break_target(self, is_broken: bool) -> None:
        for place in [place for (_, name, _), place in self.field.shop.world.places.items() if name == self.name]:
            place.refuses = Code.UNHEALTHY if is_broken else None

    @rule(which=whiches, by=st.sampled_from((timedelta(minutes=50), timedelta(days=2))))
    def forward(self, which: int, by: timedelta) -> None:
        handle = self._handle(names.promotion_workflow(self._which(which)))
        with suppress(TimeoutError, RPCError):
            self.field.run(asyncio.wait_for(self.field.env.fast_forward(handle, by), FORWARDING))

    @rule()
    def replace_worker(self) -> None:
        self.field.run(self.field.replace_worker())

    @rule(seconds=st.sampled_from((0.02, 0.1, 0.4)))
    def rest(self, seconds: float) -> None:
        time.sleep(seconds)

    @invariant()
    def never_two(self) -> None:
        assert self.field.crowds == []

    def teardown(self) -> None:
        """Clear the way; when all is over, every promotion ended once, as was sealed."""
        deadline = time.monotonic() + DEADLINE
        while not self._is_over():
            assert time.monotonic() < deadline, self._standing()
            self._clear_the_way()
            time.sleep(PAUSE)
        for promotion in self.promotions:
            types = [event.type for event in self.field.shop.events(names.promotion_subject(promotion))]
            assert types.count("ended") == 1, types
            assert types[-1] == "ended", types
            report = self.field.shop.verified(promotion)
            assert report.verified, report
            assert report.state == self._state(promotion)
        self.never_two()
        self.field.played += 1

    def _is_over(self) -> bool:
        with self.field.postgres.db.session() as s:
            rows = [promotions.get(s, promotion) for promotion in self.promotions]
            here = lanes.holder(s, "shop", self.name) or lanes.waiting(s, "shop", self.name)
        return not here and all(row is not None and row.state.is_terminal for row in rows)

    def _clear_the_way(self) -> None:
        """Nothing restrains any more, targets are well, and what waits for a vote gets one or is cancelled."""
        self.break_target(is_broken=False)
        with self.field.postgres.db.session() as s:
            kinds = {restraint.kind for restraint in restraints.open_at(s, "shop", self.name, now())}
        for kind in kinds:
            self.restrain(api=0, how=("DELETE", f"{kind}s"))
        for promotion in self.promotions:
            waits = self._state(promotion) is PromotionState.AWAITING_APPROVAL
            if waits and not self._vote(0, promotion, Choice.APPROVE):
                self._cancel(1, promotion)

    def _promote(self, api: int, through: bool) -> None:
        asked = self.field.promote(api, self.name, "it must" if through else None)
        self.promotions.append(self.field.run(asked))

    def _vote(self, api: int, promotion: str, choice: Choice) -> bool:
        """Whether it was taken."""
        row, shop = self.field.shop.row(promotion), self.field.shop
        if row.plan is None:
            return False
        envelope = shop.vote("ben", row, row.plan, choice=choice, time=now(), nonce=f"n{next(self._nonces)}")
        return self._ask(api, "ben", "POST", f"/promotions/{promotion}/votes", envelope) is not None

    def _cancel(self, api: int, promotion: str) -> None:
        self._ask(api, "ana", "POST", f"/promotions/{promotion}/cancel", {"reason": "a test"})

    def _ask(self, *request: Any) -> Any:
        return self.field.run(self.field.ask(*request))

    def _which(self, which: int) -> str:
        return self.promotions[which % len(self.promotions)]

    def _state(self, promotion: str) -> PromotionState:
        return self.field.shop.row(promotion).state

    def _workflow(self, promotion: str, whose: str) -> str:
        lane = names.lane_workflow("shop", self.name)
        ours = {"promotion": names.promotion_workflow(promotion), "deployment": names.deployment_workflow(promotion)}
        return ours.get(whose, lane)

    def _handle(self, workflow: str) -> WorkflowHandle[Any, Any]:
        return self.field.client.get_workflow_handle(workflow)

    def _standing(self) -> str:
        """For whoever must find out what went wrong."""
        shop = self.field.shop
        with self.field.postgres.db.session() as s:
            places = {p: lanes.get(s, p) for p in self.promotions}
            kept = restraints.open_at(s, "shop", self.name, now())
            holder = lanes.holder(s, "shop", self.name)
        told = [[event.type for event in shop.events(names.promotion_subject(p))] for p in self.promotions]
        rows = [f"{p} {self._state(p)} {places[p]} {types}" for p, types in zip(self.promotions, told, strict=True)]
        return "\n".join([f"{self.name} of {holder}, kept by {kept}", *rows])


async def _hand(field: Field, hand: str, workflow: str) -> None:
    handle = field.client.get_workflow_handle(workflow)
    match hand:
        case "terminate":
            await handle.terminate("by hand")
        case "cancel":
            await handle.cancel()
        case _:
            await reset_workflow(field.client, workflow)
