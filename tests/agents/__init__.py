import pytest

pytest.register_assert_rewrite("tests.agents.behaviour", "tests.agents.bench")
