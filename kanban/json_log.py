"""The log as JSON, a line each, for programs that collect it."""

from typing import Any

from pythonjsonlogger.json import JsonFormatter

from kanban.logs import UtcFormatter


class Json(JsonFormatter, UtcFormatter):
    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in log_data.items() if value is not None}
