"""Reads of rules, each shaped for one screen."""
