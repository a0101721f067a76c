"""An instant is a time with a zone that is there in UTC, too."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.instants import from_text, in_utc, to_text

FAR_WEST, FAR_EAST = timezone(-timedelta(hours=14)), timezone(timedelta(hours=14))


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_instant_is_written_and_read_back(instant: datetime) -> None:
    assert from_text(to_text(instant)) == instant


@pytest.mark.parametrize(
    "time", [datetime.fromisoformat("2026-01-01"), datetime.max.replace(tzinfo=FAR_WEST), datetime.min.replace(tzinfo=FAR_EAST)]
)  # fmt: skip
def test_what_names_no_instant_is_refused(time: datetime) -> None:
    for read in (in_utc, to_text):
        with pytest.raises(ValueError, match="instant"):
            read(time)
