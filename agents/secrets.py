"""The secrets of one target while it is worked on: read where they are used, kept nowhere, masked in whatever is said meanwhile.

with opened(self._secrets, spec) as safe:
    safe.of(component)              # {NAME: value}, to be handed to the application
    safe.mask_output(printed)       # before it stands in a refusal or a log
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fairlead.contracts.release import SecretUse
from fairlead.contracts.target import ComponentSpec, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, FairleadError
from fairlead.domain.masking import mask, mask_all
from fairlead.ports import Secrets

WITHHELD = "(its output is withheld: a secret that it may have printed cannot be read, so it cannot be masked)"


class Safe:
    """Reads each value once, when it is first asked for: what is adopted as it is needs none."""

    def __init__(self, secrets: Secrets, spec: TargetSpec) -> None:
        self._secrets, self._spec = secrets, spec
        self._values: dict[SecretUse, str] = {}

    def of(self, component: ComponentSpec) -> dict[str, str]:
        """Name to value. Raises NotFound (secret_not_found), NotAllowed (secret_denied), Unavailable (secrets_unavailable)."""
        return {name: self.value(name, use) for name, use in sorted(_uses(component).items())}

    def require(self) -> None:
        """Have all of them, before the first change. Raises as `of` does."""
        for component in self._spec.components:
            self.of(component)

    def mask(self, text: str) -> str:
        """The text without what has been read so far."""
        return mask(text, self._values.values())

    def mask_output(self, text: str) -> str:
        """What an application printed, who may print all it was given; withheld where that cannot be told."""
        try:
            self.require()
        except FairleadError:
            return WITHHELD if text else ""
        return self.mask(text)

    def mask_error(self, error: BaseException) -> None:
        """Mask an error and what led to it, in place: type, code and course stay as they are."""
        seen: set[int] = set()
        link: BaseException | None = error
        while link is not None and id(link) not in seen:
            seen.add(id(link))
            link.args = mask_all(link.args, self._values.values())
            if isinstance(link, FairleadError):
                link.detail, link.hint = self.mask(link.detail), link.hint and self.mask(link.hint)
                link.fields = mask_all(link.fields, self._values.values())
            link = link.__cause__ or link.__context__

    def value(self, name: str, use: SecretUse) -> str:
        """One value, also one that is needed only to go back. Raises as `of` does."""
        if use not in self._values:
            self._values[use] = self._secrets.read(use)
        if "\0" in self._values[use]:
            raise BadInput(Code.BAD_VALUE, f"the secret {name} holds a NUL, which no environment can carry")
        return self._values[use]


@contextmanager
def opened(secrets: Secrets, spec: TargetSpec) -> Iterator[Safe]:
    """The secrets of a specification. What is raised in the block tells none of those that were read."""
    safe = Safe(secrets, spec)
    try:
        yield safe
    except BaseException as error:
        safe.mask_error(error)
        raise


def require_secrets(secrets: Secrets, spec: TargetSpec) -> None:
    """Look whether all can be read, before anything is changed.

    Of a rollback nothing is asked: what still runs there is adopted as it is, though its version may be gone.
    """
    if not spec.is_rollback:
        with opened(secrets, spec) as safe:
            safe.require()


def references(component: ComponentSpec) -> dict[str, str]:
    """What stands in the place of the values wherever something is kept or shown."""
    return {name: f"{use.reference} (version {use.version})" for name, use in sorted(_uses(component).items())}


def _uses(component: ComponentSpec) -> Mapping[str, SecretUse]:
    return component.config.secrets or {}
