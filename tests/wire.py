"""An HTTP server by the byte: it sends exactly what a test tells it to, and nothing by itself."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias


class ClosedError(Exception):
    """The client, or the test's end, closed a connection while a script was using it."""


class Peer:
    """One connection, as the script of a page sees it. ``number`` counts connections from 1."""

    def __init__(self, connection: socket.socket, number: int, ending: threading.Event) -> None:
        self.number = number
        self.path = ""
        self.head = b""
        self._socket = connection
        self._ending = ending
        self._received = b""

    def send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise ClosedError from error

    def drip(self, data: bytes, every_s: float) -> None:
        """Send byte by byte, until the client has enough of it."""
        for n in range(len(data)):
            self.send(data[n : n + 1])
            if self._ending.wait(every_s):
                raise ClosedError

    def hang(self) -> None:
        """Say nothing more, until the client gives up."""
        while self._receive():
            pass
        raise ClosedError

    def close(self) -> None:
        """End the connection in good order."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def reset(self) -> None:
        """End the connection by a TCP reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def shake_hands(self, context: ssl.SSLContext) -> None:
        """Begin to speak TLS."""
        try:
            self._socket = context.wrap_socket(self._socket, server_side=True)
        except OSError as error:
            raise ClosedError from error

    def await_request(self) -> None:
        """Read the next request up to the end of its header."""
        while b"\r\n\r\n" not in self._received:
            self._receive_more()
        self.head, self._received = self._received.split(b"\r\n\r\n", 1)
        self.path = self.head.split(b" ", 2)[1].decode()

    def _receive_more(self) -> None:
        data = self._receive()
        if not data:
            raise ClosedError
        self._received += data

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(65536)
        except OSError as error:
            raise ClosedError from error


Script: TypeAlias = Callable[[Peer], None]


class WireServer:
    """Pages by path: bytes to send, or a script. Connections stay open unless a script ends them.

    ``greeting`` is said to every connection before it asks for anything. ``requests`` are the paths asked
    for; ``heads`` the requests as they came; ``connections`` how many there were. With ``tls`` it shows a
    certificate that nobody has signed.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, tls: bool = False) -> None:
        self.pages: dict[str, bytes | Script] = {}
        self.greeting = b""
        self.requests: list[str] = []
        self.heads: list[bytes] = []
        self.connections = 0
        self._tls = _tls() if tls else None
        self._ending = threading.Event()
        self._peers: list[Peer] = []
        self._listener = socket.create_server((host, port), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in self._peers:
            peer.close()
        for thread in self._threads:
            thread.join()

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            peer = Peer(connection, self.connections, self._ending)
            self._peers.append(peer)
            self._threads.append(threading.Thread(target=self._serve, args=(peer,)))
            self._threads[-1].start()

    def _serve(self, peer: Peer) -> None:
        try:
            if self._tls:
                peer.shake_hands(self._tls)
            peer.send(self.greeting)
            while True:
                peer.await_request()
                self.requests.append(peer.path)
                self.heads.append(peer.head)
                page = self.pages[peer.path]
                if isinstance(page, bytes):
                    peer.send(page)
                else:
                    page(peer)
        except ClosedError:
            pass
        finally:
            peer.close()


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("certificate.pem"))
    return context


def response(body: bytes = b"", status: str = "200 OK", **fields: str) -> bytes:
    """Return a well-formed response; ``fields`` are header fields, with underscores for hyphens."""
    fields = {"content-type": "text/html", "content-length": str(len(body))} | {
        name.replace("_", "-"): value for name, value in fields.items()
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def linking(*targets: str, before: str = "") -> bytes:
    """Return a page that links to each of the targets."""
    return response((before + "".join(f"<a href='{target}'>x</a>" for target in targets)).encode())


def chunked(*chunks: bytes, status: str = "200 OK", end: bytes = b"0\r\n\r\n", **fields: str) -> bytes:
    """Return a response in chunks; ``end`` is what follows the last one."""
    fields = {"content-type": "text/html", "transfer-encoding": "chunked"} | {
        name.replace("_", "-"): value for name, value in fields.items()
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body + end
