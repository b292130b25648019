"""A host whose pages have no end, made as they are asked for."""

from typing import ClassVar

from tests.wire import Script, response


class Endless(dict[str, "bytes | Script"]):
    """Pages by path: an index of honest pages, and the way into one trap (``kind``)."""

    HONEST: ClassVar[int] = 60

    def __init__(self, kind: str) -> None:
        super().__init__({"/robots.txt": response(status="404 Not Found")})
        self._kind = kind

    def __missing__(self, path: str) -> bytes:
        name, _, rest = path[1:].partition("/")
        if path == "/":
            links = [f"/honest/{n}" for n in range(self.HONEST)] + [self._entrance()]
            return _page("Index", links)
        if name == "honest":
            return _page(f"About {'a' * int(rest)}", ["/"], "word " * (50 * int(rest)))
        return self._trap(path)

    def _entrance(self) -> str:
        return {"queries": "/queries?page=0", "growing": "/growing/a/"}.get(self._kind, f"/{self._kind}/0")

    def _trap(self, path: str) -> bytes:
        """Return a page that leads to two others that nobody has seen."""
        if self._kind == "growing":
            return _page("Growing", ["a/", "a/"])
        stem, _, number = path.rpartition("=" if self._kind == "queries" else "/")
        nexts = (2 * int(number, 16) + 1, 2 * int(number, 16) + 2)
        sign = "=" if self._kind == "queries" else "/"
        if self._kind == "refresh":
            return response(
                f"<title>Wait</title><meta http-equiv=refresh content='0; url={stem}/{nexts[0]:x}'>".encode()
            )
        titles = {"calendar": f"Day {int(number, 16)}", "mirror": "Not found"}
        return _page(titles.get(self._kind, "Welcome"), [f"{stem}{sign}{n:x}" for n in nexts])


def _page(title: str, links: list[str], text: str = "") -> bytes:
    anchors = "".join(f"<a href='{link}'>x</a>" for link in links)
    return response(f"<title>{title}</title><body>{text}{anchors}".encode())
