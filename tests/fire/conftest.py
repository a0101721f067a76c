"""One whole system for all tests of this folder, whose processes are killed, and projects in it."""

from tests.system.conftest import make_shop, shop, system

__all__ = ["make_shop", "shop", "system"]
