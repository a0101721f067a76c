"""What the variables of a compose file mean: the release's configuration and secrets, never anything of the machine that reads it."""

from collections.abc import Iterator, Mapping
from typing import Any

from fairlead.domain.blocks import pointer
from fairlead.domain.codes import Code
from fairlead.domain.compose.interpolation import BadExpression, Lookup, Reference, escape, interpolate
from fairlead.domain.compose.shapes import own
from fairlead.domain.compose.stack import Part, Stack
from fairlead.domain.errors import Flaw


def scope(stack: Stack, part: Part | None) -> Lookup:
    """The variables within a service: a component's own; elsewhere those that all components who have them agree on."""
    parts = (part,) if part else stack.parts

    def look(name: str) -> str | Reference | None:
        secret = shared_secret(stack, part, name)
        if secret:
            return secret
        values = {p.env[name] for p in parts if name in p.env}
        if len(values) > 1:
            raise BadExpression(f"{name} is not the same for all components")
        return next(iter(values), None)

    return look


def shared_secret(stack: Stack, part: Part | None, name: str) -> Reference | None:
    """The secret of this name: the component's own, else the one that all who have it agree on. Raises BadExpression."""
    if part and name in part.secrets:
        return Reference(part.variable(name))
    holders = [p for p in stack.parts if name in p.secrets]
    if any(p.secrets[name] != holders[0].secrets[name] for p in holders):
        raise BadExpression(f"{name} is not the same secret for all components")
    return Reference(holders[0].variable(name)) if holders else None


def as_it_is(value: Any) -> Any:
    """A tree of which every text is taken literally."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return {key: as_it_is(inner) for key, inner in value.items()}
    return [as_it_is(inner) for inner in value] if isinstance(value, list) else value


class Resolver:
    """Resolves a tree; what cannot be resolved is noted and left empty."""

    def __init__(self, lookup: Lookup, flaws: list[Flaw]) -> None:
        self._lookup, self._flaws = lookup, flaws

    def tree(self, value: Any, at: str, *, secrets: bool = False) -> Any:
        """Every text of it. `secrets`: whether one may stand here; else it would be where others read it."""
        if isinstance(value, str):
            return self.text(value, at, secrets=secrets)
        if isinstance(value, Mapping):
            return {key: self._inner(key, v, pointer(at, key), secrets=secrets) for key, v in value.items()}
        if isinstance(value, list):
            return [self.tree(v, pointer(at, index), secrets=secrets) for index, v in enumerate(value)]
        return value

    def _inner(self, key: str, value: Any, at: str, *, secrets: bool) -> Any:
        return as_it_is(value) if own(key) else self.tree(value, at, secrets=secrets or key == "environment")

    def text(self, text: str, at: str, *, secrets: bool = False) -> str:
        """One text."""
        try:
            return interpolate(text, self._lookup if secrets else self._open_only)
        except BadExpression as error:
            self._flaws.append(Flaw(Code.VARIABLE_MISSING, str(error), at))
            return ""

    def _open_only(self, name: str) -> str | Reference | None:
        value = self._lookup(name)
        if isinstance(value, Reference):
            raise BadExpression(f"{name} is a secret: it may stand in `environment`, or be mounted by `secrets`")
        return value


def variables(stack: Stack) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every secret under the variable it reaches Compose by."""
    for part in stack.parts:
        for name, use in part.secrets.items():
            yield part.variable(name), use
