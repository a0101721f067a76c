"""All places of secrets as one (ports.Secrets): the scheme of a reference says where to look."""

from collections.abc import Mapping

from fairlead.adapters.secrets.place import Place, absent
from fairlead.contracts.release import SecretUse
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.secret_references import SecretReference, parse


class SecretPlaces:
    """`places` by scheme; `how`: for schemes without one, how to get it."""

    def __init__(self, places: Mapping[str, Place], how: Mapping[str, str] | None = None) -> None:
        self._places, self._how = places, how or {}

    def version(self, reference: str) -> str:
        """Which version a secret has now."""
        parsed = _parsed(reference)
        return self._place(parsed).version(parsed)

    def read(self, use: SecretUse) -> str:
        """The value of one version."""
        parsed = _parsed(use.reference)
        return self._place(parsed).read(parsed, use.version)

    def close(self) -> None:
        """Give back what was borrowed."""
        for place in self._places.values():
            place.close()

    def _place(self, reference: SecretReference) -> Place:
        place = self._places.get(reference.scheme)
        if place is None:
            raise absent(reference, f"no {reference.scheme} is set up here", hint=self._how.get(reference.scheme))
        return place


def _parsed(text: str) -> SecretReference:
    try:
        return parse(text)
    except ValueError as error:
        raise BadInput(Code.BAD_VALUE, f"{text!r:.80} is {error}") from error
