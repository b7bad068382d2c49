"""How a distributed transaction fails, as its caller sees it."""

from __future__ import annotations

from seawall._errors._hierarchy import _PUBLIC, SeawallError


class TransactionError(SeawallError):
    """A distributed transaction cannot be begun, found or continued as asked; the message says why.

    Args:
        message: What happened, for people.
        kind: "saga", "tcc"...
        id: Of the transaction.
    """

    __module__ = _PUBLIC

    def __init__(self, message: str, *, kind: str = "", id: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.id = id


class TransactionExists(TransactionError):
    """The id is taken by a transaction with another name or input; nothing was begun."""

    __module__ = _PUBLIC


class TransactionBusy(TransactionError):
    """Somebody else has the transaction at present and goes on with it."""

    __module__ = _PUBLIC


class TransactionUnknown(TransactionError):
    """There is no transaction of that kind and id, or it has been pruned."""

    __module__ = _PUBLIC


class StepRefused(SeawallError):
    """Raised by an action: it has not happened and is not going to; it is neither tried again nor compensated."""

    __module__ = _PUBLIC


class TransactionAborted(TransactionError):
    """A transaction was undone everywhere, or will be: a participant voted no, or the commit could not be logged.

    Its cause is what a participant raised when it was asked to prepare, where one did.
    """

    __module__ = _PUBLIC


class TransactionInDoubt(TransactionError):
    """Whether a transaction was committed is not known here, though it is the same for all participants.

    Recovery finds out. Do not repeat its work before that.
    """

    __module__ = _PUBLIC
