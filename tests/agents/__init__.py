import pytest

pytest.register_assert_rewrite(*(f"tests.agents.{module}" for module in ("bench", "running", "failing", "mending")))
