"""Choosing targets by their labels."""

from collections.abc import Mapping

from fairlead.domain.catalogue import Target
from fairlead.domain.nearest import did_you_mean


def has(target: Target, labels: Mapping[str, str]) -> bool:
    """Whether a target has all of these labels."""
    return labels.items() <= target.labels.items()


def chosen(labels: Mapping[str, str], targets: Mapping[str, Target]) -> tuple[str, ...]:
    """The names of the targets that have all of these labels, in alphabetical order: a mapping has none of its own."""
    return tuple(sorted(name for name, target in targets.items() if has(target, labels)))


def none_chosen(labels: Mapping[str, str], targets: Mapping[str, Target]) -> str:
    """Why nothing is chosen: which label no target has, and what was probably meant."""
    for label, value in labels.items():
        values = {target.labels[label] for target in targets.values() if label in target.labels}
        if not values:
            known = {name for target in targets.values() for name in target.labels}
            return f"no target has a label {label!r:.60}{did_you_mean(label, known)}"
        if value not in values:
            return f"no target has {label}={value:.60}{did_you_mean(value, values)}"
    return f"no target has all of {', '.join(f'{label}={value}' for label, value in sorted(labels.items()))}"
