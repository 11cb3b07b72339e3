"""The log as JSON, a line each, for programs that collect it."""

from pythonjsonlogger.json import JsonFormatter

from kanban.log_formats import UtcFormatter


class Json(JsonFormatter, UtcFormatter):
    def process_log_record(self, log_data: dict[str, object]) -> dict[str, object]:
        return {name: value for name, value in log_data.items() if value is not None}
