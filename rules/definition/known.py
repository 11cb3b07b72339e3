"""What a definition asks of the world when it is validated."""

from typing import Protocol

from kanban.references import Reference
from rules.definition.channels import Channel, TemplateKind


class Known(Protocol):
    def has(self, reference: Reference) -> bool: ...

    def board_of(self, status_id: int) -> int | None:
        """None where there is no such status."""

    def template_kind(self, template_id: int) -> TemplateKind | None:
        """None where there is no such template."""

    def is_address(self, channel: Channel, address: str) -> bool:
        """Whether it is one of the channel, written as it is kept."""
