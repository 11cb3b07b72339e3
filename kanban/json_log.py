"""The log as JSON, a line each, for programs that collect it."""

import time
from typing import Any

from pythonjsonlogger.json import JsonFormatter


class Json(JsonFormatter):
    default_time_format, default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03dZ"
    converter = time.gmtime  # type: ignore[assignment]

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in log_data.items() if value is not None}
