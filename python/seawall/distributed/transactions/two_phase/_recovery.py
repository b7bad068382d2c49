"""After a crash: what the log and the participants still have, put together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from seawall.distributed.transactions._owned import History, Key, Owned
from seawall.distributed.transactions.two_phase._course import Call, Calls, Course, Run
from seawall.distributed.transactions.two_phase._ending import Ending, committed_to, takes_part
from seawall.distributed.transactions.two_phase._messages import Outcome
from seawall.distributed.transactions.two_phase._names import KIND_NAME, Gid
from seawall.distributed.transactions.two_phase._participant import InDoubt, Participant, Recovery, Result
from seawall.errors import SeawallError, TransactionBusy, TransactionError, TransactionUnknown

if TYPE_CHECKING:
    from seawall.distributed.transactions.two_phase._coordinator import TwoPhaseCommit

_PAGE = 1_000
_LIVING = "in the hands of a coordinator"


class _Found:
    """What there is: transactions of ours, with who holds a part ready, and parts that are not ours."""

    def __init__(self) -> None:
        self.ours: dict[str, set[str]] = {}
        self.others: dict[str, set[str]] = {}
        self.unreached: list[str] = []

    def keep(self, id: str) -> None:
        """Only this one."""
        self.ours = {each: held for each, held in self.ours.items() if each == id}
        self.others = {each: held for each, held in self.others.items() if each == id}


def _found(coordinator: TwoPhaseCommit) -> Course[_Found]:
    found = _Found()
    identity = yield from coordinator._identity()
    # The participants first: what is prepared has been begun before, so that the log knows it when it is read.
    holders = [each for each in coordinator._participants.values() if hasattr(each, "prepared")]
    for participant, answer in zip(holders, (yield from coordinator._all("prepared")), strict=True):
        if isinstance(answer, Exception):
            found.unreached.append(participant.name)
            continue
        _sort(found, coordinator.name, identity, answer)
    for key in (yield from _open(coordinator)):
        if key.id.startswith(f"{coordinator.name}.{identity}."):
            found.ours.setdefault(key.id, set())
    return found


def _sort(found: _Found, name: str, identity: str, gids: Iterable[Gid]) -> None:
    for gid in gids:
        is_ours = (gid.coordinator, gid.log) == (name, identity)
        (found.ours if is_ours else found.others).setdefault(gid.transaction, set()).add(gid.participant)


def _open(coordinator: TwoPhaseCommit) -> Course[list[Key]]:
    keys: list[Key] = []
    while True:
        after = keys[-1].id if keys else ""
        page = yield Run(coordinator.log._do_keys(KIND_NAME, after=after, limit=_PAGE))
        keys += page
        if len(page) < _PAGE:
            return keys


def recovered_all(coordinator: TwoPhaseCommit, only: str | None = None) -> Course[Recovery]:
    """Finish all that can be finished, or one."""
    found = yield from _found(coordinator)
    if only is not None:
        found.keep(only)
    ended: dict[Outcome, list[str]] = {Outcome.COMMITTED: [], Outcome.ABORTED: []}
    left: list[InDoubt] = []
    for id, holders in sorted(found.ours.items()):
        done = yield from recovered_one(coordinator, id, holders)
        if isinstance(done, InDoubt):
            left.append(done)
        else:
            ended[done].append(id)
    return Recovery(tuple(ended[Outcome.COMMITTED]), tuple(ended[Outcome.ABORTED]), (*left, *_of_others(found)))


def resumed(coordinator: TwoPhaseCommit, id: str) -> Course[Result]:
    """Finish one, or say why not."""
    done = yield from recovered_all(coordinator, id)
    for result in done:
        return result
    doubt = next((doubt for doubt in done.in_doubt if doubt.id == id), None)
    if doubt is not None:
        kind = TransactionBusy if doubt.why == _LIVING else TransactionError
        raise kind(
            f"transaction {id} is not over ({', '.join(doubt.participants)}): {doubt.why}", kind=KIND_NAME, id=id
        )
    history = yield Run(coordinator.log._do_load(KIND_NAME, id))
    if history is None:
        raise TransactionUnknown(f"there is no transaction {id!r}, or it has been pruned", kind=KIND_NAME, id=id)
    is_committed = committed_to(history.entries) is not None or history.entries[-1].what == "ended"
    return Result(id, Outcome.COMMITTED if is_committed else Outcome.ABORTED)


def recovered_one(coordinator: TwoPhaseCommit, id: str, holders: Iterable[str] = ()) -> Course[Outcome | InDoubt]:
    """Finish one transaction of ours, unless its coordinator lives or a participant cannot be reached."""
    held = tuple(sorted(holders))
    try:
        owned = yield Run(coordinator.log._do_own(KIND_NAME, id))
    except SeawallError as error:
        return InDoubt(id, Outcome.IN_DOUBT, held, f"the log cannot be asked: {error}")
    if isinstance(owned, History) and not owned.finished:
        return _living(owned, held)
    if not isinstance(owned, Owned):
        return (yield from _straggler(coordinator, id, owned, held))
    names = takes_part(owned.entries)
    to_tell = committed_to(owned.entries)
    missing = [name for name in (to_tell or names) if name not in coordinator._participants]
    if missing:
        yield Run(coordinator.log._do_let_go(owned))
        outcome = Outcome.COMMITTED if to_tell else Outcome.IN_DOUBT
        return InDoubt(id, outcome, tuple(missing), "no participant of that name was given to this coordinator")
    ending = Ending(coordinator.log, owned, {name: coordinator._participants[name] for name in to_tell or names})
    return _left(*(yield from _resumed(ending, to_tell)))


def _resumed(ending: Ending, to_tell: tuple[str, ...] | None) -> Course[tuple[Outcome, tuple[str, ...], str]]:
    result = yield from ending.resume(to_tell)
    return result.outcome, result.untold, result.id


def _left(outcome: Outcome, untold: tuple[str, ...], id: str) -> Outcome | InDoubt:
    return InDoubt(id, outcome, untold, f"{outcome}, still to be told") if untold else outcome


def _living(found: History, held: tuple[str, ...]) -> InDoubt:
    to_tell = committed_to(found.entries)
    outcome = Outcome.IN_DOUBT if to_tell is None else Outcome.COMMITTED
    return InDoubt(found.key.id, outcome, to_tell or held or takes_part(found.entries), _LIVING)


def _straggler(
    coordinator: TwoPhaseCommit, id: str, found: History | None, held: tuple[str, ...]
) -> Course[Outcome | InDoubt]:
    """A part that is still held though the log has concluded, or forgotten: prepared or told too late."""
    is_committed = found is not None and committed_to(found.entries) is not None
    untold = []
    for name in held:
        if not (yield from _told(coordinator._participants.get(name), id, commit=is_committed)):
            untold.append(name)
    return _left(Outcome.COMMITTED if is_committed else Outcome.ABORTED, tuple(untold), id)


def _told(participant: Participant | None, id: str, *, commit: bool) -> Course[bool]:
    if participant is None:
        return False
    (answer,) = yield Calls((Call(participant, "commit" if commit else "abort", (id,)),))
    return not isinstance(answer, Exception)


def listed(coordinator: TwoPhaseCommit) -> Course[tuple[InDoubt, ...]]:
    """All that is not over."""
    found = yield from _found(coordinator)
    left = []
    for id, holders in sorted(found.ours.items()):
        history = yield Run(coordinator.log._do_load(KIND_NAME, id))
        left.append(_listed(id, tuple(sorted(holders)), history))
    return (*left, *_of_others(found))


def _listed(id: str, held: tuple[str, ...], history: History | None) -> InDoubt:
    if history is None:
        return InDoubt(id, Outcome.ABORTED, held, "not in the log: recovery aborts it")
    to_tell = committed_to(history.entries)
    if to_tell is not None:
        return InDoubt(id, Outcome.COMMITTED, held or to_tell, "committed, still to be told")
    return InDoubt(id, Outcome.IN_DOUBT, held or takes_part(history.entries), "not decided in the log")


def _of_others(found: _Found) -> tuple[InDoubt, ...]:
    why = "of another coordinator or another log: this one may presume nothing"
    others = [InDoubt(id, Outcome.IN_DOUBT, tuple(sorted(held)), why) for id, held in sorted(found.others.items())]
    unreached = [
        InDoubt("", Outcome.IN_DOUBT, (name,), "could not be asked what it holds ready") for name in found.unreached
    ]
    return (*others, *unreached)
