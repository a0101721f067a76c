"""Images of old releases leave the engine: those of the last so many stay, and whatever any container or another target there may use.

Only what was noted when it came is ever removed; an empty volume for each release says what that is.
"""

from agents.docker_host import container
from agents.docker_host.engine import Engine
from agents.docker_host.ground import Ground
from agents.docker_host.hands import Hands
from agents.docker_host.hooking import images_of
from fairlead.contracts.target import TargetSpec
from fairlead.domain.fence import Claim


def prune(engine: Engine, ground: Ground, hands: Hands, spec: TargetSpec, claim: Claim) -> None:
    """Note what this release is, and forget those before the last `keep`. Nothing where the target's options do not say how many."""
    keep = spec.options.get("keep")
    if not keep:
        return
    images = [container.reference(component) for component in (*spec.components, *images_of(spec))]
    hands.change(lambda: ground.note_images(claim, spec.release, images))
    noted = ground.noted_images()
    last = list(dict.fromkeys(one.release for one in noted))[:keep]
    wanted = {image for one in noted if one.release in last for image in one.images} | ground.images_of_others()
    for image in sorted({image for one in noted for image in one.images} - wanted):
        if not engine.is_used(image):
            hands.change(lambda image=image: engine.remove_image(image))  # type: ignore[misc]
    newest = {one.release: one for one in reversed(noted) if one.release in last}
    for one in noted:
        if one not in newest.values():
            hands.change(lambda one=one: ground.forget_note(one.name))  # type: ignore[misc]
