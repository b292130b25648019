"""What all sections of the configuration share."""

from typing import NoReturn

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

CONFLICT = "conflict"
"""The type of an error between two keys of a section; its context names the ``other`` one."""


class Section(BaseModel):
    """A group of keys: frozen, and closed, so that a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def conflict(message: str, other: str) -> NoReturn:
    """Refuse a value because of another key: whoever reports it can blame the one that the user set."""
    raise PydanticCustomError(CONFLICT, "{message}", {"message": message, "other": other})
