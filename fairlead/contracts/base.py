"""The two kinds of models that cross a boundary."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Cannot change after it is made. Unknown fields are ignored, so that an old reader takes a newer writer's data."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Strict(BaseModel):
    """For what comes from outside: an unknown field is an error, never silently dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
