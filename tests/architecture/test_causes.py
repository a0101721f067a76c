"""No error is raised from itself: it would be its own cause, and whoever tells causes, as Temporal does, would never end."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [path for root in ("fairlead", "workers", "api", "workflows", "activities", "agents") for path in (ROOT / root).rglob("*.py")]  # fmt: skip


def raised_from_themselves(source: str) -> Iterator[int]:
    """Lines of `raise error from error`, also where the error is one of several that may be raised."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise) and isinstance(node.cause, ast.Name) and node.cause.id in _may_be(node.exc):
            yield node.lineno


def _may_be(raised: ast.expr | None) -> Iterator[str]:
    match raised:
        case ast.Name(id=name):
            yield name
        case ast.BoolOp(values=values):
            for value in values:
                yield from _may_be(value)
        case ast.IfExp(body=body, orelse=other):
            yield from _may_be(body)
            yield from _may_be(other)


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("raise error from error", True),
        ("raise (why(error) or error) from error", True),
        ("raise (other if other else error) from error", True),
        ("raise other from error", False),
        ("raise Other(error) from error", False),
        ("raise", False),
    ],
)
def test_they_are_found(line: str, is_one: bool) -> None:
    assert bool(list(raised_from_themselves(line))) is is_one


def test_there_are_none() -> None:
    found = [f"{path.relative_to(ROOT)}:{line}" for path in FILES for line in raised_from_themselves(path.read_text())]
    assert found == []
