"""Measurements, printed as a table."""
