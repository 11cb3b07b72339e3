"""What a rule would do, before it does."""
