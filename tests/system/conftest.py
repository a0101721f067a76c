"""One whole system for all tests of this folder, and projects in it."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests import borrowed
from tests.fixtures.aws import CREDENTIALS
from tests.system.shop import Shop
from tests.system.whole import WholeSystem

_numbers = itertools.count(1)

MakeShop = Callable[..., Shop]


@pytest.fixture(scope="package")
def system() -> Iterator[WholeSystem]:
    """The running system. Its worker finds what it needs for a target of any type."""
    plugin = borrowed.compose()
    whole = WholeSystem(settings={**CREDENTIALS, **({"FAIRLEAD_COMPOSE": str(plugin)} if plugin else {})})
    try:
        whole.start()
        yield whole
    finally:
        whole.stop()


@contextmanager
def making_shops(system: WholeSystem) -> Iterator[MakeShop]:
    """Makes projects; in the end the evidence of all their promotions must verify."""
    made: list[Shop] = []

    def make(*components: str) -> Shop:
        made.append(Shop(system, f"shop{next(_numbers)}", components or ("web",)))
        return made[-1]

    yield make
    for shop in made:
        shop.close()


@pytest.fixture
def make_shop(system: WholeSystem) -> Iterator[MakeShop]:
    """Makes projects for one test."""
    with making_shops(system) as make:
        yield make


@pytest.fixture
def shop(make_shop: MakeShop) -> Shop:
    """A project with one environment, `dev`, of one target, and release 1.0.0."""
    made = make_shop()
    made.environment("dev")
    made.apply()
    made.release("1.0.0")
    return made
