"""Measurements of the server as shipped, over HTTP: `python -m bench served`. Works with any checkout, older or newer."""
