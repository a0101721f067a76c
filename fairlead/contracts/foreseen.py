"""What would change on a target, told from what is seen there: for types that have no forecast of their own."""

from collections.abc import Iterator, Sequence

from fairlead.contracts.compare import Difference, compare
from fairlead.contracts.target import ComponentSpec, TargetObservation
from fairlead.domain.codes import Code
from fairlead.domain.drift import Kind
from fairlead.domain.errors import Unavailable
from fairlead.domain.forecast import Forecast

_SAID = {
    Kind.MISSING: "is new",
    Kind.WRONG_CONFIG: "is replaced: its configuration is another",
    Kind.UNVERIFIABLE: "is replaced: nobody can say what runs",
    Kind.EXTRA: "goes",
}


def foreseen(expected: Sequence[ComponentSpec], seen: TargetObservation) -> Forecast:
    """One line for each component, in the order of their start. Raises Unavailable (target_unreachable)."""
    found = compare(expected, seen)
    if unreachable := next((each for each in found if each.code is Code.TARGET_UNREACHABLE), None):
        raise Unavailable(Code.TARGET_UNREACHABLE, unreachable.detail)
    return Forecast(tuple(_lines(expected, {each.component: each for each in found})))


def _lines(expected: Sequence[ComponentSpec], found: dict[str | None, Difference]) -> Iterator[str]:
    for component in expected:
        difference = found.pop(component.name, None)
        yield _said(difference) if difference else f"{component.name} stays as it is"
    yield from map(_said, found.values())


def _said(difference: Difference) -> str:
    if difference.code is Code.UNHEALTHY:
        return f"{difference.component} runs already, and is not healthy: {difference.detail}"
    if difference.kind is Kind.WRONG_DIGEST:
        return f"{difference.component} is replaced: {difference.detail.removeprefix(f'{difference.component} ')}"
    return f"{difference.component} {_SAID[difference.kind]}"
