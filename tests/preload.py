"""Imported by the process that tests fork their servers from: what each would do first is done once for all of them."""

import tempfile
from pathlib import Path

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from app import create_app
from kanban.config import Config


class Compiled(BytecodeCache):
    """Templates as code, in memory."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._codes:
            bucket.bytecode_from_string(self._codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.bytecode_to_string()


def compile_templates() -> None:
    Flask.jinja_options = {"bytecode_cache": Compiled()}
    with tempfile.TemporaryDirectory() as folder:
        config = Config(database_url=f"sqlite:///{folder}/never.db", secret_key="-", seal_key="-", public_url="http://127.0.0.1")
        templates = create_app(config, Path(folder)).jinja_env
        for name in templates.list_templates(extensions=["html", "txt"]):
            templates.get_template(name)


compile_templates()
