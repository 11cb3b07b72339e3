"""What rules did: runs, letters, and why."""
