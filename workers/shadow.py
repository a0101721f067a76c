"""The start-up check that our top-level packages are ours: their names are common, and pip lets another distribution overwrite them."""

from collections.abc import Iterable, Mapping
from importlib import metadata, util
from pathlib import Path

from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused

DISTRIBUTION = "fairlead"
PACKAGES = ("fairlead", "workers", "api", "workflows", "activities", "agents")


def refuse_shadowed() -> None:
    """Raises Refused (package_shadowed), naming who else has a package of ours."""
    check_owners(metadata.packages_distributions())
    check_places({name: _place(name) for name in PACKAGES})


def check_owners(owners: Mapping[str, Iterable[str]]) -> None:
    """No other installed distribution may own one of our names."""
    others = {name: sorted(set(owners.get(name, ())) - {DISTRIBUTION}) for name in PACKAGES}
    found = {name: who for name, who in others.items() if who}
    if found:
        text = "; ".join(f"{name} also belongs to {', '.join(who)}" for name, who in found.items())
        raise _shadowed(text, found)


def check_places(places: Mapping[str, Path | None]) -> None:
    """All of ours lie side by side; one that is found elsewhere is not ours."""
    home = places["fairlead"]
    strange = {name: str(place) for name, place in places.items() if place is None or place != home}
    if strange:
        text = "; ".join(f"{name} is found in {place}" for name, place in strange.items())
        raise _shadowed(text, strange)


def _place(name: str) -> Path | None:
    spec = util.find_spec(name)
    return Path(spec.origin).resolve().parent.parent if spec and spec.origin else None


def _shadowed(text: str, fields: Mapping[str, object]) -> Refused:
    return Refused(
        Code.PACKAGE_SHADOWED,
        f"packages of Fairlead are shadowed: {text}",
        hint="install Fairlead into an environment of its own",
        fields=fields,
    )
