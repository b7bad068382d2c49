"""Try, confirm, cancel: what several services have reserved is all confirmed or all cancelled."""

from seawall.distributed.transactions.tcc._context import BranchContext
from seawall.distributed.transactions.tcc._coordinator import Coordinator
from seawall.distributed.transactions.tcc._definition import Branch, Tcc
from seawall.distributed.transactions.tcc._kind import KIND
from seawall.distributed.transactions.tcc._result import TccResult
from seawall.distributed.transactions.tcc._way import TccTrouble

__all__ = ["KIND", "Branch", "BranchContext", "Coordinator", "Tcc", "TccResult", "TccTrouble"]
