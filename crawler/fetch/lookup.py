"""The system's name look-up, as every fetcher uses it. Blocking: the callers have threads for it."""

import socket

# Each refused address of a name costs a try per address: a name with thousands of them would stall a fetcher.
MAX_ADDRESSES = 8


def look_up(host: str, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[tuple[socket.AddressFamily, str]]:
    """Return the first addresses of a name; raise OSError where it has none."""
    try:
        found = socket.getaddrinfo(host, None, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except UnicodeError as error:  # an empty label, or one of more than 63 bytes
        raise socket.gaierror(socket.EAI_NONAME, "not a name that DNS can hold") from error
    return [(kind, str(address[0])) for kind, _, _, _, address in found[:MAX_ADDRESSES]]
