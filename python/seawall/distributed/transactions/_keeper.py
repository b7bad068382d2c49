"""Renews the claims of whatever is owned, while its steps take long."""

from __future__ import annotations

import os
import threading

from seawall.distributed.transactions._log import TransactionLog
from seawall.distributed.transactions._owned import Owned
from seawall.errors import EngineError, LeaseLost


class Keeper:
    """One thread for each process, begun when something is owned, that renews every third of a claim's time.

    It ends by itself when it finds nothing to renew. A claim that is lost is marked (`owned.lost`).

    Thread safety: yes; for tasks too, as a renewal never runs in their loop.

    Args:
        log: Whose claims.
    """

    def __init__(self, log: TransactionLog) -> None:
        self._log = log
        self._renew()

    def _renew(self) -> None:
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._owned: dict[int, Owned] = {}
        self._thread: threading.Thread | None = None
        self._closing = False

    def add(self, owned: Owned) -> None:
        """Renew it from now on."""
        if self._pid != os.getpid():
            self._renew()  # a forked child has neither the thread nor what the parent owns
        with self._changed:
            self._owned[id(owned)] = owned
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="seawall-keeper", daemon=True)
                self._thread.start()

    def remove(self, owned: Owned) -> None:
        """No longer."""
        with self._changed:
            self._owned.pop(id(owned), None)

    def close(self) -> None:
        """End the thread; what is still owned expires by itself."""
        if self._pid != os.getpid():
            return
        with self._changed:
            self._owned.clear()
            self._closing = self._thread is not None
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._is_closing, self._log.ttl / 3)
                self._closing = False
                if not self._owned:
                    self._thread = None
                    return
                owned = list(self._owned.values())
            for each in owned:
                self._keep(each)

    def _is_closing(self) -> bool:
        return self._closing

    def _keep(self, owned: Owned) -> None:
        try:
            self._log.keep(owned)
        except LeaseLost:
            self.remove(owned)
        except EngineError:
            pass  # not reached: tried again in a third of the time, and the fence holds whatever happens
