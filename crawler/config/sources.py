"""Where settings come from: files, environment variables, ``--set`` and the command line's own options."""

import pathlib
from collections.abc import Collection, Mapping

from cpu_stage.types import Json
from crawler.config.document import Document, Place, problem
from crawler.config.yaml_text import read_yaml

_PREFIX = "CRAWLER_"
_OPTIONS = {
    "seeds": "command line",
    "limits.pages": "--max-pages",
    "limits.depth": "--max-depth",
    "observe.progress": "--progress",
    "observe.log_level": "--verbose",
}


def from_file(path: pathlib.Path) -> Document:
    """Read a YAML file; one that cannot be read is a problem."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        return _broken(str(path), (), f"cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        return _broken(str(path), (), "is not UTF-8 text")
    return read_yaml(text, str(path))


def from_environment(env: Mapping[str, str], sections: Collection[str]) -> list[Document]:
    """Read the variables ``CRAWLER_SECTION__KEY``; those of no section of ours are somebody else's."""
    documents = []
    for name in sorted(env):
        path = tuple(name.removeprefix(_PREFIX).lower().split("__"))
        if name.startswith(_PREFIX) and path[0] in sections:
            documents.append(_from_text(env[name], f"environment {name}", path))
    return documents


def from_set(text: str) -> Document:
    """Read one ``--set``: ``key.path=value``, the value in YAML."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        return _broken("--set", (), f"expected key.path=value, got {text!r}")
    return _from_text(value, "--set", tuple(key.strip().split(".")))


def from_option(key: str, value: Json) -> Document:
    """Take an option of the command line that stands for a key."""
    return Document(_OPTIONS.get(key, "command line"), value, tuple(key.split(".")))


def _from_text(text: str, source: str, path: tuple[str, ...]) -> Document:
    if not text.strip():
        return _broken(source, path, "has no value; expected a YAML value, such as null")
    return read_yaml(text, source, path)


def _broken(source: str, path: tuple[str, ...], message: str) -> Document:
    return Document(source, problems=(problem(Place(source), path, message),))
