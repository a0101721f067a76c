"""Hooks on a Compose host: each a service of its own, made of its component's as the lock has it, which Compose makes and starts."""

from agents.compose_host.locking import Lock, read
from agents.compose_host.plugin import Compose, Ended, Project
from agents.docker_host.box import Box
from agents.docker_host.engine import Engine
from agents.docker_host.engine_errors import Vanished
from agents.docker_host.ground import Ground
from agents.docker_host.hands import Hands, refuse_foreign
from agents.docker_host.hooking import labels_of, name_of
from agents.secrets import Safe
from fairlead.adapters import compose_yaml
from fairlead.contracts.target import ComponentSpec, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.compose import hook as of_compose
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim
from fairlead.domain.target_kinds.hooks import Hook
from fairlead.ports import Beat


class Services:
    """Makes them (docker_host.hooking.Maker). Claims are looked at before and after Compose runs, which is short here."""

    def __init__(
        self, engine: Engine, compose: Compose, ground: Ground, hands: Hands, spec: TargetSpec, claim: Claim, safe: Safe, lock: Lock, beat: Beat
    ) -> None:  # fmt: skip
        self._engine, self._compose, self._ground, self._hands = engine, compose, ground, hands
        self._spec, self._claim, self._safe, self._lock, self._beat = spec, claim, safe, lock, beat

    def make(self, component: ComponentSpec, hook: Hook) -> Box:
        """As Maker.make."""
        refuse_foreign(self._engine, self._ground, self._name(hook))
        return self._hands.change(lambda: self._made(component, hook), lambda box: self._engine.remove(box.id))

    def start(self, component: ComponentSpec, hook: Hook, box: Box) -> None:
        """As Maker.start. Compose does it, for it brings the secrets that are files."""
        self._hands.change(lambda: self._started(component, hook, box), self._engine.remove)

    def _made(self, component: ComponentSpec, hook: Hook) -> Box:
        ended = self._compose.create(self._project(component, hook), self._beat)
        box = self._engine.named(self._name(hook))
        if box is None and not ended.code:
            raise Vanished(Code.TARGET_UNREACHABLE, f"{self._name(hook)} was made, and is gone")
        if box is None:
            raise self._failed(ended)
        return box

    def _started(self, component: ComponentSpec, hook: Hook, box: Box) -> str:
        ended = self._compose.start(self._project(component, hook), self._beat)
        if self._engine.inspect(box.id).status == "created":
            raise self._failed(ended)
        return box.id

    def _failed(self, ended: Ended) -> Refused:
        words = self._safe.mask_output(ended.words)
        return Refused(Code.START_FAILED, f"Docker Compose says: {words}")

    def _project(self, component: ComponentSpec, hook: Hook) -> Project:
        service = next(s.name for s in self._lock.services if s.component == component.name)
        name, marks = self._name(hook), labels_of(self._spec, self._claim, hook)
        document = of_compose.document(self._lock.document, service, name, hook.command, marks, hook.image)
        text = compose_yaml.write(document)
        return Project(self._lock.name, self._spec.endpoint, text, read(text).values({name}, self._safe))

    def _name(self, hook: Hook) -> str:
        return name_of(self._spec, self._claim, hook)
