"""The web server: uvicorn reads and writes in an event loop, and the application is called in threads, when there is something to do."""

from kanban.web.server import serve
from kanban.web.wsgi import STREAM

__all__ = ["STREAM", "serve"]
