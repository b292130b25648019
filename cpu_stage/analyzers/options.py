"""Checks of option values: each returns the value, or raises ``ValueError`` with what is expected."""

from collections.abc import Collection


def whole(name: str, value: object, least: int) -> int:
    """Expect a whole number that is not below ``least``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} is {value!r}; a whole number of at least {least} is expected")
    return value


def fraction(name: str, value: object) -> float:
    """Expect a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"{name} is {value!r}; a number from 0 to 1 is expected")
    return value


def flag(name: str, value: object) -> bool:
    """Expect true or false."""
    if value is True or value is False:
        return value
    raise ValueError(f"{name} is {value!r}; true or false is expected")


def choice(name: str, value: object, accepted: Collection[str]) -> str:
    """Expect one of some words."""
    if not isinstance(value, str) or value not in accepted:
        raise ValueError(f"{name} is {value!r}; {' or '.join(accepted)} is expected")
    return value


def language(value: object) -> str | None:
    """Expect the code of a language, or null: it is to be found out."""
    if value is not None and not (isinstance(value, str) and len(value) == 2 and value.isalpha() and value.islower()):
        raise ValueError(f"language is {value!r}; an ISO 639-1 code such as 'en', or null, is expected")
    return value
