"""Conducting: what sagas and TCCs have in common, from the names in their records to the loop that recovers them."""

from seawall.distributed.transactions._conducting._conductor import Conductor
from seawall.distributed.transactions._conducting._context import CallContext
from seawall.distributed.transactions._conducting._course import Task
from seawall.distributed.transactions._conducting._definitions import (
    Action,
    check_name,
    check_policies,
    check_unique,
    first_tries,
    guard_of,
    must_succeed,
)
from seawall.distributed.transactions._conducting._progress import (
    IDLE,
    UNDER_WAY,
    Call,
    Move,
    Progress,
    then_words,
)
from seawall.distributed.transactions._conducting._way import Trouble, Way

__all__ = [
    "IDLE",
    "UNDER_WAY",
    "Action",
    "Call",
    "CallContext",
    "Conductor",
    "Move",
    "Progress",
    "Task",
    "Trouble",
    "Way",
    "check_name",
    "check_policies",
    "check_unique",
    "first_tries",
    "guard_of",
    "must_succeed",
    "then_words",
]
