"""Backups: one file with the database and the keys, made while everything runs, and put back into an empty place."""
