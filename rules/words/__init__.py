"""A rule, and what became of it, in words."""
