"""Two-phase commit: all participants commit, or none."""

from seawall.distributed.transactions.two_phase._coordinator import TwoPhaseCommit
from seawall.distributed.transactions.two_phase._kind import KIND, MEMBER_KIND
from seawall.distributed.transactions.two_phase._logged import LoggedParticipant
from seawall.distributed.transactions.two_phase._messages import Outcome, Vote
from seawall.distributed.transactions.two_phase._participant import InDoubt, Participant, Recovery, Result
from seawall.distributed.transactions.two_phase._postgres import PostgresParticipant
from seawall.distributed.transactions.two_phase._remote import RemoteParticipant, answer, answer_async
from seawall.distributed.transactions.two_phase._transaction import Transaction

__all__ = [
    "KIND",
    "MEMBER_KIND",
    "InDoubt",
    "LoggedParticipant",
    "Outcome",
    "Participant",
    "PostgresParticipant",
    "Recovery",
    "RemoteParticipant",
    "Result",
    "Transaction",
    "TwoPhaseCommit",
    "Vote",
    "answer",
    "answer_async",
]
