"""From an event, or a time, to runs, messages and changes."""
