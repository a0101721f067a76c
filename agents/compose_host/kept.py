"""The lock that was last seen healthy on a target, kept there to go back to: in the label of an empty volume, as claims and stickers are."""

from agents.compose_host.locking import Lock, read
from agents.docker_host import labels
from agents.docker_host.engine import Engine
from agents.docker_host.ground import Ground
from agents.docker_host.labels import Address
from fairlead.contracts.canonical import digest_bytes
from fairlead.domain.fence import Claim

_KIND, _LOCK = "lock", "fairlead.lock"


class Kept:
    """What there is to go back to."""

    def __init__(self, engine: Engine, ground: Ground, address: Address) -> None:
        self._engine, self._ground = engine, ground
        self._labels = {**labels.of_target(address), labels.KIND: _KIND}
        self._stem = labels.stem(address)

    def lock(self) -> Lock | None:
        """The latest; None where nothing was ever seen healthy."""
        volumes = self._engine.volumes(self._labels)
        latest = max(volumes, key=lambda v: (labels.claim_in(v["Labels"]) or Claim(0, 0), v["CreatedAt"]), default=None)
        return read(latest["Labels"][_LOCK]) if latest else None

    def put(self, lock: Lock, claim: Claim) -> None:
        """Keep this one, then let the older ones go. Raises FenceLost."""
        self._ground.require(claim)
        name = f"{self._stem}-lock-{claim}-{digest_bytes(lock.text.encode()).removeprefix('sha256:')[:12]}"
        self._ground.lay(name, {labels.KIND: _KIND, labels.FENCE: str(claim), _LOCK: lock.text})
        self._ground.require(claim)
        self.remove(but=name)

    def remove(self, but: str = "") -> None:
        """Let all go."""
        for volume in self._engine.volumes(self._labels):
            if volume["Name"] != but:
                self._engine.remove_volume(volume["Name"])
