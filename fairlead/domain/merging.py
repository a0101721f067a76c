"""Layers of JSON over each other, as RFC 7386 has it: maps merge, all else replaces, null deletes; and where each value came from."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fairlead.domain.blocks import pointer

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Traced(Generic[S]):
    """A value that is no map, and the layer that it came with."""

    value: Any
    source: S


Tree = dict[str, Any]
"""Names to trees or Traced values."""


def merge(base: Any, patch: Any) -> Any:
    """The base as the patch leaves it; neither is changed."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(base) if isinstance(base, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def compose(first: Any, then: Any) -> Any:
    """One patch that does what two do one after the other: what the second deletes stays deleted whatever lies below.

    That holds where both agree on what is a map, as all layers of components do, and the first deletes no whole map.
    """
    if not isinstance(first, Mapping) or not isinstance(then, Mapping):
        return then
    both = dict(first)
    for name, value in then.items():
        both[name] = compose(first[name], value) if name in first else value
    return both


def overlay(layers: Iterable[tuple[S, Mapping[str, Any]]]) -> Tree:
    """All layers over each other, each value with the layer that it came with."""
    tree: Tree = {}
    for source, patch in layers:
        tree = _laid(tree, patch, source)
    return tree


def origins(tree: Tree, at: str = "") -> Iterator[tuple[str, Traced[Any]]]:
    """Every value that is no map by its JSON pointer, in order."""
    for name, inner in sorted(tree.items()):
        if isinstance(inner, Traced):
            yield pointer(at, name), inner
        else:
            yield from origins(inner, pointer(at, name))


def _laid(below: Any, patch: Any, source: S) -> Any:
    if not isinstance(patch, Mapping):
        return Traced(patch, source)
    merged: Tree = dict(below) if isinstance(below, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _laid(merged.get(name), value, source)
    return merged
