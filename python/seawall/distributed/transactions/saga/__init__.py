"""Sagas by orchestration: steps on several services that are all done, or all undone."""

from seawall.distributed.transactions.saga._context import StepContext
from seawall.distributed.transactions.saga._definition import Parallel, Saga, Step
from seawall.distributed.transactions.saga._kind import KIND
from seawall.distributed.transactions.saga._orchestrator import Orchestrator
from seawall.distributed.transactions.saga._result import SagaResult
from seawall.distributed.transactions.saga._way import SagaTrouble

__all__ = ["KIND", "Orchestrator", "Parallel", "Saga", "SagaResult", "SagaTrouble", "Step", "StepContext"]
