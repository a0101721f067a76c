"""Claims: only the highest goes on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.fence import Claim, FenceLost, may_adopt, require_highest

claims = st.builds(Claim, st.integers(1, 9), st.integers(1, 9))


@given(claims, st.lists(claims))
def test_only_the_highest_claim_goes_on(mine: Claim, seen: list[Claim]) -> None:
    if any((c.number, c.attempt) > (mine.number, mine.attempt) for c in seen):
        with pytest.raises(FenceLost):
            require_highest(mine, seen)
    else:
        require_highest(mine, seen)


@given(claims)
def test_a_claim_reads_back_from_its_text(claim: Claim) -> None:
    assert Claim.parse(str(claim)) == claim


@pytest.mark.parametrize("text", ["", "1", "1.", ".1", "a.b", "1.2.3"])
def test_other_text_is_no_claim(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        Claim.parse(text)


@pytest.mark.parametrize(
    ("made_by", "is_rollback", "adopted"),
    [
        (Claim(2, 1), False, True),
        (Claim(2, 2), False, True),
        (Claim(2, 3), False, False),
        (Claim(1, 9), False, False),
        (Claim(1, 9), True, True),
    ],
)
def test_work_of_the_same_number_or_any_for_a_rollback_is_adopted(
    made_by: Claim, is_rollback: bool, adopted: bool
) -> None:
    assert may_adopt(Claim(2, 2), made_by, is_rollback=is_rollback) is adopted
