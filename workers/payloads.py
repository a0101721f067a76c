"""How values become payloads and back: as the pydantic converter does it, except that nothing which cannot be decoded is lost."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticPayloadConverter, pydantic_data_converter


class LenientPayloadConverter(PydanticPayloadConverter):
    """Several payloads for which no types are expected: hands sent them. The SDK drops a signal of which one does not decode, unseen."""

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Values, and raw values of what decodes to nothing; a single payload, or one with a type, must decode."""
        if type_hints or len(payloads) < 2:
            return super().from_payloads(payloads, type_hints)
        return [self._value(payload) for payload in payloads]

    def _value(self, payload: Payload) -> Any:
        try:
            return self.from_payload(payload)
        except Exception:  # each converter of the SDK raises what it likes
            return RawValue(payload)


data_converter = replace(pydantic_data_converter, payload_converter_class=LenientPayloadConverter)
