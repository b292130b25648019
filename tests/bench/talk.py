"""HTTP by the byte, for what a client library would not do or would hide."""

import asyncio
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


def get(url: str, *fields: str, method: str = "GET") -> bytes:
    """A request."""
    parts = urlsplit(url)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {parts.netloc}", *fields, "", ""]).encode()


class Talk:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, url: str) -> Self:
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def ask(self, data: bytes, *, head_only: bool = False) -> Reply:
        self.writer.write(data)
        return await self.reply(head_only=head_only)

    async def reply(self, *, head_only: bool = False) -> Reply:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        line, *fields = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        size = 0 if head_only else int(headers["content-length"])
        return Reply(int(line.split()[1]), headers, await self.reader.readexactly(size))

    async def at_end(self) -> bool:
        """Whether the server closes, and sends nothing more."""
        return await self.reader.read() == b""


async def ask(url: str, *fields: str, method: str = "GET") -> Reply:
    """One request on a connection of its own."""
    async with await Talk.to(url) as talk:
        return await talk.ask(get(url, *fields, method=method), head_only=method == "HEAD")
