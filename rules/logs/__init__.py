"""What rules did: runs, messages, and why."""
