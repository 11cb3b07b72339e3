"""HTTP/1.1 of a client over asyncio, for hundreds of connections in one process: no more than the viewers need."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

LIMIT = 4 * 1024 * 1024


@dataclass
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def close(self) -> None:
        self.writer.close()


@dataclass(frozen=True)
class Head:
    code: int
    fields: dict[str, str]
    cookies: tuple[str, ...]


async def connect(port: int, address: str) -> Connection:
    """address: of the client, within 127.0.0.0/8."""
    return Connection(*await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0), limit=LIMIT))


async def ask(connection: Connection, method: str, url: str, fields: Mapping[str, str], body: bytes = b"") -> Head:
    """Sends a request and reads the head of its answer. Raises ConnectionError where the server has gone."""
    sent = {"Host": "127.0.0.1", **fields} | ({"Content-Length": str(len(body))} if method == "POST" else {})
    head = f"{method} {url} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in sent.items()) + "\r\n"
    connection.writer.write(head.encode() + body)
    try:
        text = (await connection.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("the server closed the connection") from error
    first, *lines = text.rstrip("\r\n").split("\r\n")
    pairs = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    cookies = tuple(value.split(";")[0] for name, value in pairs if name == "set-cookie")
    return Head(int(first.split()[1]), dict(pairs), cookies)


async def read_text(connection: Connection, head: Head) -> str:
    """The whole body."""
    if head.code in (204, 304):
        return ""
    if "content-length" in head.fields:
        raw = await connection.reader.readexactly(int(head.fields["content-length"]))
    else:
        raw = b"".join([chunk async for chunk in chunks(connection, head)])
    return (gzip.decompress(raw) if head.fields.get("content-encoding") == "gzip" else raw).decode()


async def chunks(connection: Connection, head: Head) -> AsyncIterator[bytes]:
    """The body as it comes, until its end."""
    if head.fields.get("transfer-encoding", "").lower() != "chunked":
        while part := await connection.reader.read(65536):
            yield part
        return
    while size := int((await connection.reader.readline()).split(b";")[0] or b"0", 16):
        yield (await connection.reader.readexactly(size + 2))[:-2]
    await connection.reader.readline()
