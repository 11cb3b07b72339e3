"""Reads, each shaped for one screen."""
