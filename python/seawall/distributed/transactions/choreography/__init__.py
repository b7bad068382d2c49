"""Sagas by choreography: services that react to each other's events, over an outbox and an inbox with a memory."""

from seawall.distributed.transactions.choreography._event import Event
from seawall.distributed.transactions.choreography._options import DeliveryOptions, ParticipantOptions
from seawall.distributed.transactions.choreography._parking import Failure, Parked
from seawall.distributed.transactions.choreography._participant import Participant, Reaction
from seawall.distributed.transactions.choreography._relay import Relay, Subscriptions
from seawall.distributed.transactions.choreography._sqlite import sqlite_transactions
from seawall.distributed.transactions.choreography._stats import DeliveryStats

__all__ = [
    "DeliveryOptions",
    "DeliveryStats",
    "Event",
    "Failure",
    "Parked",
    "Participant",
    "ParticipantOptions",
    "Reaction",
    "Relay",
    "Subscriptions",
    "sqlite_transactions",
]
