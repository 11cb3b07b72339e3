"""The outbox and the way out of it."""
