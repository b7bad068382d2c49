"""Actions that many services need."""

from seawall.monitor.recovery.ready_made._components import Replaceable, open_breaker, rebuild, restart, shed
from seawall.monitor.recovery.ready_made._evidence import collect_garbage, dump_stacks
from seawall.monitor.recovery.ready_made._worker import restart_worker

__all__ = [
    "Replaceable",
    "collect_garbage",
    "dump_stacks",
    "open_breaker",
    "rebuild",
    "restart",
    "restart_worker",
    "shed",
]
