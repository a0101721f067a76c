"""In which order things change: targets in waves, components of one target by what they depend on."""

from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter

from fairlead.domain.catalogue import Strategy, StrategyType


def waves(targets: Sequence[str], strategy: Strategy) -> tuple[tuple[str, ...], ...]:
    """The targets, in the order declared, in sets that change together."""
    size = strategy.batch if strategy.type is StrategyType.ROLLING else max(len(targets), 1)
    return tuple(tuple(targets[start : start + size]) for start in range(0, len(targets), size))


def start_order(depends_on: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Every component after those it depends on, by name where that leaves a choice; names not among the keys are left out."""
    sorter = TopologicalSorter({name: [n for n in needs if n in depends_on] for name, needs in depends_on.items()})
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return tuple(order)
