"""What somebody probably meant by a name that is not there."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, names: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The valid names most like this one, best first."""
    return tuple(get_close_matches(name, sorted(names), n=limit, cutoff=0.6))


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """An ending for an error message: a guess, else what there is, else nothing."""
    valid = sorted(names)
    if close := nearest(name, valid):
        return f"; did you mean {' or '.join(close)}?"
    return f"; there is {', '.join(valid[:10])}{', ...' if len(valid) > 10 else ''}" if valid else ""
