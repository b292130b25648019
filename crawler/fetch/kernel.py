"""What the kernel knows of a connection, and the event loop does not yet."""

import select
import socket
import sys
from struct import Struct

# struct tcp_info of linux/tcp.h: eight bytes (the first is tcpi_state), 24 numbers of 32 bits (the twelfth is
# tcpi_last_data_recv), then numbers of 64 bits (the fourth is tcpi_bytes_received).
_TCP_INFO = socket.TCP_INFO if sys.platform == "linux" else None
_LAST_DATA_RECV, _OFFSET = Struct("I"), 8 + 11 * 4
_STATE_AND_RECEIVED = Struct("B127xQ")
_ESTABLISHED = 1
_TICK_MS = 10  # the kernel counts such times in its ticks, of 1 to 10 ms, and may be one of them too high


class KernelView:
    """Asks the kernel about one connection, by the socket that it was made with.

    The socket that a transport of uvloop gives for itself makes another one for each question, which takes longer than
    the question.
    """

    __slots__ = ("_poll", "_socket")

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._poll = select.poll()
        self._poll.register(connected, select.POLLIN)

    def has_news(self, read: int | None) -> bool:
        """Return whether something was sent on it that nobody has read, or it was closed.

        ``read`` is how many bytes were read of it so far, if that is known. Then the kernel is asked for its own count:
        ``poll`` gives up the interpreter's lock, and a busy event loop has to win it back from the other threads.
        """
        if read is not None and _TCP_INFO is not None:
            try:
                known = self._socket.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _STATE_AND_RECEIVED.size)
            except OSError:  # lost in this very moment
                return True
            if len(known) == _STATE_AND_RECEIVED.size and _STATE_AND_RECEIVED.unpack(known) == (_ESTABLISHED, read):
                return False
        return bool(self._poll.poll(0))  # a kernel may not count

    def silent_s(self) -> float:
        """Return the seconds since its last bytes arrived (Linux; elsewhere 0): at least these."""
        if _TCP_INFO is None:
            return 0.0
        try:
            known = self._socket.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _OFFSET + _LAST_DATA_RECV.size)
        except OSError:  # lost in this very moment
            return 0.0
        milliseconds: int = _LAST_DATA_RECV.unpack_from(known, _OFFSET)[0]
        return max(0.0, (milliseconds - _TICK_MS) / 1e3)
