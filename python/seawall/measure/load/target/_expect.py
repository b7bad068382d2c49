"""Whether an answer over HTTP is what it must be."""

from __future__ import annotations

from seawall.measure.load.result._outcomes import Answer, answered, kind_of
from seawall.measure.load.target._request import Request


class Search:
    """Looks for a text in a body that comes in pieces."""

    __slots__ = ("_tail", "_wanted", "found")

    def __init__(self, wanted: bytes) -> None:
        self._wanted = wanted
        self._tail = b""
        self.found = not wanted

    def feed(self, piece: bytes) -> None:
        """The next piece."""
        if not self.found:
            seen = self._tail + piece
            self.found = self._wanted in seen
            self._tail = seen[-(len(self._wanted) - 1) :] if len(self._wanted) > 1 else b""


class Expectation:
    """What the answers to a request must be."""

    def __init__(self, request: Request) -> None:
        self._request = request
        wanted = request.contains
        self._wanted = wanted.encode() if isinstance(wanted, str) else wanted or b""

    def body(self) -> Search:
        """The search through one body."""
        return Search(self._wanted)

    def judge(self, status: int, size: int, body: Search) -> Answer:
        """What a whole answer amounts to; of several failures the first of status, body and size."""
        request = self._request
        if not request.accepts(status):
            # An error status is told as itself, which says more than that it was not asked for.
            return answered(status, size) if status >= 400 else _wrong("status", size, f"status {status}")
        if not body.found:
            return _wrong("body", size, f"the body does not contain {self._wanted!r}")
        if request.size is not None and not request.size[0] <= size <= request.size[1]:
            low, high = request.size
            return _wrong("size", size, f"the body has {size:,} bytes, not {low:,} to {high:,}")
        return Answer(kind_of(status), size, status, accepted=True)


def _wrong(what: str, size: int, words: str) -> Answer:
    return Answer(f"wrong {what}", size, error=words)
