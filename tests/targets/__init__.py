"""The one table of what every executor does, in memory and on the real component of each type, and beside it that of hooks."""

import pytest

pytest.register_assert_rewrite(
    *(
        f"tests.targets.{module}"
        for module in ("bench", "running", "failing", "mending", "handing", "keeping", "hooking")
    )
)
