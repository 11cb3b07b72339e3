"""A line of the log as text. As JSON: json_log.py."""

import logging
import time

# What a record may carry, in the order it is written.
FIELDS = ("message_id", "event", "rule", "board", "order", "person", "address", "request")
_CONTROL = dict.fromkeys((*range(32), 127, 0x2028, 0x2029), " ")


class UtcFormatter(logging.Formatter):
    """Times as 2026-11-30T08:12:41.204Z."""

    default_time_format, default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03dZ"
    converter = time.gmtime  # type: ignore[assignment]


class TextFormatter(UtcFormatter):
    """One line a record, whatever was typed; a traceback follows on its own lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802, logging's name
        record.message = record.message.translate(_CONTROL)
        found = ((name, getattr(record, name, None)) for name in FIELDS)
        return " ".join([super().formatMessage(record), *(f"{name}={value}" for name, value in found if value is not None)])
