"""A double of the places where secrets lie: values in memory, under reference and version."""

from fairlead.contracts.release import SecretUse
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, NotFound


class MemorySecrets:
    """ports.Secrets. `fails`: what everything is answered with; `asked`: what was read."""

    def __init__(self) -> None:
        self.values: dict[str, list[str]] = {}
        self.fails: FairleadError | None = None
        self.asked: list[SecretUse] = []

    def put(self, reference: str, value: str) -> SecretUse:
        """Another version of a secret."""
        self.values.setdefault(reference, []).append(value)
        return SecretUse(reference=reference, version=str(len(self.values[reference])))

    def version(self, reference: str) -> str:
        if self.fails:
            raise self.fails
        if reference not in self.values:
            raise NotFound(Code.SECRET_NOT_FOUND, f"nothing lies under {reference}")
        return str(len(self.values[reference]))

    def read(self, use: SecretUse) -> str:
        if self.fails:
            raise self.fails
        self.asked.append(use)
        known = self.values.get(use.reference, [])
        if not use.version.isdigit() or not 1 <= int(use.version) <= len(known):
            raise NotFound(Code.SECRET_NOT_FOUND, f"{use.reference} has no version {use.version}")
        return known[int(use.version) - 1]
