"""Auto-recovery: conditions to actions, with cool-down, budget, escalation, verification and an audit trail."""

from seawall.monitor.recovery._action import Action, Budget
from seawall.monitor.recovery._audit import AuditTrail
from seawall.monitor.recovery._condition import Condition, Flag, Readings, above, anomalous, below
from seawall.monitor.recovery._engine import Recovery
from seawall.monitor.recovery._events import RecoveryEvent, RecoveryStats, RuleStats
from seawall.monitor.recovery._rule import Rule
from seawall.monitor.recovery.ready_made import (
    Replaceable,
    collect_garbage,
    dump_stacks,
    open_breaker,
    rebuild,
    restart,
    restart_worker,
    shed,
)

__all__ = [
    "Action",
    "AuditTrail",
    "Budget",
    "Condition",
    "Flag",
    "Readings",
    "Recovery",
    "RecoveryEvent",
    "RecoveryStats",
    "Replaceable",
    "Rule",
    "RuleStats",
    "above",
    "anomalous",
    "below",
    "collect_garbage",
    "dump_stacks",
    "open_breaker",
    "rebuild",
    "restart",
    "restart_worker",
    "shed",
]
