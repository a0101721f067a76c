"""One target on an engine: our containers there, the claims that lie on it, and its sticker.

Claims and stickers are empty labelled volumes: they can be listed, and nobody can edit them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.docker_host import labels
from agents.docker_host.box import Box
from agents.docker_host.engine import Engine
from agents.docker_host.labels import Address
from agents.handing import handed_over
from fairlead.contracts.canonical import canonical, digest_of
from fairlead.contracts.target import Sticker
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict
from fairlead.domain.fence import Claim, FenceLost, require_highest

_CLAIM, _STICKER, _MARK, _IMAGES = "claim", "sticker", "mark", "images"


@dataclass(frozen=True, slots=True)
class Images:
    """The note of which images a release brought. `name`: its volume's."""

    name: str
    release: str
    images: tuple[str, ...]


class Ground:
    """What is ours on one target."""

    def __init__(self, engine: Engine, address: Address) -> None:
        self._engine, self._address = engine, address
        self._labels = labels.of_target(address)
        self._stem = labels.stem(address)

    def boxes(self, component: str | None = None) -> list[Box]:
        """Our containers, of one component or all."""
        found = self._engine.boxes({**self._labels, **({labels.COMPONENT: component} if component else {})})
        return [box for box in found if box.labels.get(labels.KIND) != labels.HOOK]

    def hook_boxes(self) -> list[Box]:
        """What hooks have left, or still are."""
        return self._engine.boxes({**self._labels, labels.KIND: labels.HOOK})

    def owns(self, box: Box) -> bool:
        """Whether a container is ours and of this target."""
        return self._labels.items() <= dict(box.labels).items() and bool(
            {labels.COMPONENT, labels.KIND} & box.labels.keys()
        )

    # claims

    def claims(self) -> set[Claim]:
        """Every claim that has left a trace: volumes, and whatever was made under one (volumes can be pruned by hand)."""
        things = [*self._engine.volumes(self._labels), *self._engine.listing(self._labels)]
        found = {labels.claim_in(thing["Labels"] or {}) for thing in things}
        return {claim for claim in found if claim}

    def stake(self, claim: Claim, deployment: str) -> None:
        """Lay a claim, once. Raises FenceLost, leaving none, where a higher one lies."""
        self.require(claim)
        marks = {labels.KIND: _CLAIM, labels.FENCE: str(claim), labels.DEPLOYMENT: deployment}
        self.lay(self._claim_name(claim), marks)
        try:
            self.require(claim)
        except FenceLost:
            self._engine.remove_volume(self._claim_name(claim))
            raise

    def require(self, claim: Claim) -> None:
        """Raise FenceLost if a higher claim lies here now."""
        require_highest(claim, self.claims())

    def laid(self, claim: Claim) -> datetime | None:
        """When a claim was laid; None where its volume is gone."""
        times = [v["CreatedAt"] for v in self._volumes(_CLAIM) if labels.claim_in(v["Labels"]) == claim]
        return max(map(datetime.fromisoformat, times), default=None)

    def forget_lower(self, claim: Claim) -> None:
        """Remove the claims that this one has outlived, and the marks of lower numbers."""
        for volume in [*self._volumes(_CLAIM), *self._volumes(labels.HANDED_OVER), *self._volumes(_MARK)]:
            lower = labels.claim_in(volume["Labels"])
            is_mark = volume["Labels"][labels.KIND] == _MARK
            if lower and (lower.number < claim.number or (lower < claim and not is_mark)):
                self._engine.remove_volume(volume["Name"])

    # handing over

    def is_handed_over(self) -> bool:
        """Whether containers are here that were made before it was handed over: their labels stay, and say that they are ours."""
        handed = max(map(_age, self._volumes(labels.HANDED_OVER)), default=None)
        return handed is not None and any(box.claim is None or box.claim <= handed[0] for box in self.boxes())

    def refuse_handed_over(self) -> None:
        """Raise Conflict (foreign_workload) where that is so."""
        if self.is_handed_over():
            raise handed_over(self._address, "remove its containers first")

    def mark_handed_over(self, claim: Claim) -> None:
        """Say that it is handed over. The mark counts as a claim, so that lower ones lose."""
        self.lay(f"{self._stem}-handed-over-{claim}", {labels.KIND: labels.HANDED_OVER, labels.FENCE: str(claim)})
        self.require(claim)

    def let_go(self, claim: Claim) -> None:
        """Remove whatever else of ours lies beside the containers, but for networks and volumes that they use."""
        self.remove_stickers()
        self.forget_images()
        for kind in (_MARK, _CLAIM, labels.HANDED_OVER):
            for volume in self._volumes(kind):
                if kind != labels.HANDED_OVER or labels.claim_in(volume["Labels"]) != claim:
                    self._engine.remove_volume(volume["Name"])

    # marks: what has been run under a number, and is not to be run again

    def has_mark(self, claim: Claim, what: str) -> bool:
        """Whether this or a lower attempt of the same number has run it."""
        return any(v["Name"] == self._mark_name(claim, what) for v in self._volumes(_MARK))

    def put_mark(self, claim: Claim, what: str) -> None:
        """It is being run."""
        self.lay(self._mark_name(claim, what), {labels.KIND: _MARK, labels.FENCE: str(claim), labels.ONCE: what})

    def _mark_name(self, claim: Claim, what: str) -> str:
        return f"{self._stem}-mark-{claim.number}.{what}"

    # sticker

    def sticker(self) -> Sticker | None:
        """The record of the highest claim, None where there is none."""
        latest = max(self._volumes(_STICKER), key=_age, default=None)
        return Sticker.model_validate_json(latest["Labels"][labels.STICKER]) if latest else None

    def put_sticker(self, sticker: Sticker, claim: Claim) -> None:
        """Leave a new record, then remove the older ones. Raises FenceLost."""
        self.require(claim)
        name = f"{self._stem}-sticker-{claim}-{digest_of(sticker).removeprefix('sha256:')[:12]}"
        marks = {labels.KIND: _STICKER, labels.FENCE: str(claim), labels.STICKER: canonical(sticker).decode()}
        self.lay(name, marks)
        self.require(claim)
        self.remove_stickers(but=name)

    def remove_stickers(self, but: str = "") -> None:
        """Remove the records."""
        for volume in self._volumes(_STICKER):
            if volume["Name"] != but:
                self._engine.remove_volume(volume["Name"])

    # images: what each release brought

    def note_images(self, claim: Claim, release: str, images: Sequence[str]) -> None:
        """Note them."""
        noted = {labels.RELEASE: release, labels.IMAGES: json.dumps(images)}
        self.lay(f"{self._stem}-images-{claim}", {labels.KIND: _IMAGES, labels.FENCE: str(claim), **noted})

    def noted_images(self) -> list[Images]:
        """All that is noted, the last first."""
        return [_images(volume) for volume in sorted(self._volumes(_IMAGES), key=_age, reverse=True)]

    def images_of_others(self) -> set[str]:
        """What is noted of other targets on the same engine."""
        others = [
            v for v in self._engine.volumes({labels.KIND: _IMAGES}) if not self._labels.items() <= v["Labels"].items()
        ]
        return {image for volume in others for image in _images(volume).images}

    def forget_images(self) -> None:
        """Remove all notes of ours."""
        for note in self.noted_images():
            self.forget_note(note.name)

    def forget_note(self, name: str) -> None:
        """Remove one."""
        self._engine.remove_volume(name)

    def lay(self, name: str, marks: Mapping[str, str]) -> None:
        """Make a record of ours, once: `a-b` of `c` and `b-c` of `a` would share its name. Raises Conflict (foreign_workload)."""
        there = self._engine.create_volume(name, {**self._labels, **marks})
        if not {**self._labels, labels.KIND: marks[labels.KIND]}.items() <= there.items():
            detail = f"a volume named {name} is there, and is not one of ours"
            raise Conflict(Code.FOREIGN_WORKLOAD, detail, hint="rename or remove it", fields={"name": name})

    def _volumes(self, kind: str) -> list[dict[str, Any]]:
        return self._engine.volumes({**self._labels, labels.KIND: kind})

    def _claim_name(self, claim: Claim) -> str:
        return f"{self._stem}-claim-{claim}"


def _images(volume: Mapping[str, Any]) -> Images:
    said = volume["Labels"]
    return Images(volume["Name"], said[labels.RELEASE], tuple(json.loads(said[labels.IMAGES])))


def _age(volume: Mapping[str, Any]) -> tuple[Claim, str]:
    return labels.claim_in(volume["Labels"]) or Claim(0, 0), volume["CreatedAt"]
