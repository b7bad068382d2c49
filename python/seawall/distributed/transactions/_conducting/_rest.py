"""Which transactions need not be looked at for a while; only a hint, kept in this process."""

from __future__ import annotations

import threading

_MOST = 10_000


class Rest:
    """Ids and until when; bounded: what is forgotten is looked at once too often.

    Thread safety: yes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until_us: dict[str, int] = {}

    def set(self, id: str, until_us: int) -> None:
        """Not before then."""
        with self._lock:
            self._until_us.pop(id, None)
            self._until_us[id] = until_us
            if len(self._until_us) > _MOST:
                del self._until_us[next(iter(self._until_us))]

    def is_on(self, id: str, now_us: int) -> bool:
        """Whether it need not be looked at yet."""
        with self._lock:
            until = self._until_us.get(id)
            if until is None:
                return False
            if until <= now_us:
                del self._until_us[id]
                return False
            return True

    def end(self, id: str) -> None:
        """It may be looked at again."""
        with self._lock:
            self._until_us.pop(id, None)
