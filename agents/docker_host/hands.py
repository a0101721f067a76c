"""Single changes on one target under one claim: before and after each the claims are read, and only the highest goes on."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from agents.docker_host.box import Box
from agents.docker_host.container import Recipe
from agents.docker_host.engine import Engine
from agents.docker_host.ground import Ground
from agents.docker_host.placement import Seat, networks
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim, FenceLost
from fairlead.ports import Beat

_GRACE = 10.0

T = TypeVar("T")


class Hands:
    """What one claim may do to containers."""

    def __init__(self, engine: Engine, ground: Ground, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        self._engine, self._ground, self._claim, self._beat = engine, ground, claim, beat
        self._graces = {component.name: component.config.stop_grace for component in spec.components}

    def guard(self) -> None:
        """Go on, if ours is the highest claim."""
        self._beat()
        self._ground.require(self._claim)

    def change(self, action: Callable[[], T], undo: Callable[[T], None] | None = None) -> T:
        """Do one thing, if ours is the highest claim before and after it.

        What a lower claim has just made it unmakes, unless the higher one is a later attempt of the same number, which takes it over.
        """
        self.guard()
        done = action()
        try:
            self._ground.require(self._claim)
        except FenceLost as lost:
            if undo and Claim.parse(str(lost.fields["highest"])).number != self._claim.number:
                undo(done)
            raise
        return done

    def made_here(self, box: Box) -> bool:
        """Whether this or a lower attempt of the same number made it."""
        return box.claim is not None and box.claim.number == self._claim.number

    def create(self, recipe: Recipe) -> Box:
        """Make a container."""
        refuse_foreign(self._engine, self._ground, recipe.name)
        made = self.change(lambda: self._engine.create(recipe.name, recipe.body, recipe.host), self._engine.remove)
        return self._engine.inspect(made)

    def furnished(self, box: Box, recipe: Recipe, spec: TargetSpec, seat: Seat) -> Box:
        """Give one that has not run yet its files and networks."""
        if recipe.files:
            self.change(lambda: self._engine.put_files(box.id, recipe.files))
        if joined := networks(spec, seat.block):
            self.change(lambda: self._engine.join(box.id, joined, seat.component.name))
        return box

    def start(self, box: Box) -> None:
        """Start one."""
        undo = self._engine.remove if self.made_here(box) else None
        self.change(lambda: self._started(box.id), undo)

    def _started(self, id: str) -> str:
        self._engine.start(id)
        return id

    def rename(self, box: Box, name: str) -> Box:
        """Have it under a name; as it is then."""
        if box.name != name:
            self.change(lambda: self._engine.rename(box.id, name))
        return self._engine.inspect(box.id)

    def stop(self, box: Box) -> None:
        """Stop it with its grace."""
        self.change(lambda: self._engine.stop(box.id, self._graces.get(box.component, _GRACE), self._beat))

    def remove(self, boxes: Iterable[Box]) -> None:
        """Stop and remove them, one by one."""
        for box in boxes:
            if box.running:
                self.stop(box)
            self.discard(box)

    def discard(self, box: Box) -> None:
        """Remove one as it is."""
        self.change(lambda: self._engine.remove(box.id))


def refuse_foreign(engine: Engine, ground: Ground, name: str) -> None:
    """Raise Refused (foreign_workload) when somebody else's container has the name that ours needs."""
    occupant = engine.named(name)
    if occupant and not ground.owns(occupant):
        raise Refused(
            Code.FOREIGN_WORKLOAD,
            f"a container named {name} is there, and is not one of ours",
            hint="rename or remove it",
            fields={"container": occupant.id, "name": name},
        )
