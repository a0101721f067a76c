"""Small tools of a forger: change one place in a document, and see which rules notice."""

import base64
import json
from collections.abc import Callable
from typing import Any

from tests.evidence import world as w

DROP = object()


def put(*path: Any) -> w.Tamper:
    """Set the value at a path, all but the last of the arguments; DROP removes it."""
    *steps, last, value = path

    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for step in steps:
            place = place[step]
        if value is DROP:
            del place[last]
        else:
            place[last] = value

    return change


def says(*path: Any) -> w.Tamper:
    """The same below `predicate`."""
    return put("predicate", *path)


def edit(what: Callable[[dict[str, Any]], Any]) -> w.Tamper:
    """Change the predicate by a function."""
    return lambda document: what(document["predicate"])


def failed(story: Callable[[w.World], None] = w.succeeded, **attack: Any) -> tuple[str, ...]:
    """The rules that fail for a story told under attack, where the forger seals all anew."""
    return w.judged(w.told(story, **attack).bundle()).failed


def altered(change: Callable[[dict[str, Any]], Any], story: Callable[[w.World], None] = w.succeeded) -> tuple[str, ...]:
    """The rules that fail when a genuine bundle is changed by somebody without any key."""
    bundle = w.told(story).bundle()
    change(bundle)
    return w.judged(bundle).failed


def payload_of(item: dict[str, Any]) -> dict[str, Any]:
    """The statement in a bundled envelope."""
    return dict(json.loads(base64.b64decode(item["envelope"]["payload"])))


def names_of(story: Callable[[w.World], None]) -> list[str]:
    """The names of a story's statements that are in its bundle."""
    world = w.told(story)
    return [name for name in world.names if name != "old release" or world.went_back]
