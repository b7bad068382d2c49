"""Everything that can happen to one transaction: messages lost, late and twice, crashes between any two actions.

A message that was sent stays in the network for ever: it may be taken at any time, any number of times, or never.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from seawall.distributed.transactions.two_phase._machine import (
    Coordinator,
    Member,
    Phase,
    Standing,
    member_recovered,
    recovered,
)
from seawall.distributed.transactions.two_phase._messages import (
    COORDINATOR,
    Action,
    Finish,
    Force,
    Forget,
    Message,
    Tell,
    Vote,
)

Letter = tuple[str, str, Message]
"""To, from, what."""


@dataclass(frozen=True, slots=True)
class Host:
    """A process with a log: its state (None: it is down), what it has still to do, what is on disk.

    Args:
        part: What became of a participant's work: "open", "done", "undone"; "read" when it changed nothing.
    """

    name: str
    state: Any
    todo: tuple[Action, ...] = ()
    log: Any = None
    part: str = "open"
    vote: Vote = Vote.YES


@dataclass(frozen=True, slots=True)
class World:
    """The coordinator and its participants, and all that was ever said."""

    hosts: tuple[Host, ...]
    network: frozenset[Letter] = frozenset()


Move = tuple[str, Host, Letter | None]
"""What happens, the host after it, what it has sent."""


def start(votes: tuple[Vote, ...], kind: type[Coordinator] = Coordinator, member: type[Member] = Member) -> World:
    """Before anything has happened; each participant's own vote is given."""
    names = tuple(f"p{i}" for i in range(len(votes)))
    members = tuple(Host(name, member(), vote=vote) for name, vote in zip(names, votes, strict=True))
    return World((Host(COORDINATOR, kind(names)), *members))


def moves(host: Host, letters: tuple[Letter, ...]) -> Iterator[Move]:
    """Whatever may happen next to one host, with the letters to it."""
    leads = host.name == COORDINATOR
    if host.state is None:
        yield _stepped("restarts", host, recovered(host.log) if leads else member_recovered(host.log))
        return
    yield "crashes", _crashed(host), None
    if host.todo:
        yield _acts(host)
        return
    yield _stepped("waits in vain", host, host.state.timed_out())
    if leads and host.state.phase is Phase.IDLE:
        yield _stepped("begins", host, host.state.begin())
    for _, sender, message in letters:
        yield _heard(host, sender, message, leads=leads)


def _heard(host: Host, sender: str, message: Message, *, leads: bool) -> Move:
    what = f"hears {message} of {sender}"
    if leads:
        return _stepped(what, host, host.state.heard(sender, message))
    if message is not Message.PREPARE:
        return _stepped(what, host, host.state.told(message))
    read = host.vote is Vote.READ_ONLY and host.state.standing is Standing.WORKING
    return _stepped(what, replace(host, part="read") if read else host, host.state.asked(host.vote))


def _stepped(what: str, host: Host, step: Any) -> Move:
    return what, replace(host, state=step.state, todo=step.actions), None


def _crashed(host: Host) -> Host:
    lost = host.part == "open" and host.log is None and host.name != COORDINATOR
    return replace(host, state=None, todo=(), part="undone" if lost else host.part)


def _acts(host: Host) -> Move:
    action, after = host.todo[0], replace(host, todo=host.todo[1:])
    what = str(action)
    match action:
        case Tell(to, message):
            return what, after, (to, host.name, message)
        case Force(record, to_tell) if host.name == COORDINATOR:
            return _stepped(what, replace(after, log=to_tell), host.state.logged(done=True))
        case Force(record, _):
            return what, replace(after, log=record), None
        case Forget():
            return what, replace(after, log=None), None
        case Finish(commit):
            assert commit or host.part != "done", f"{host.name} undid what it had committed"
            assert not commit or host.part != "undone", f"{host.name} committed what it had undone"
            return what, replace(after, part="done" if commit else "undone"), None
    raise AssertionError(action)


def all_moves(world: World) -> Iterator[tuple[str, World]]:
    """Whatever may happen next, and the world after it."""
    for index, host in enumerate(world.hosts):
        letters = tuple(letter for letter in sorted(world.network) if letter[0] == host.name)
        for what, after, sent in moves(host, letters):
            hosts = (*world.hosts[:index], after, *world.hosts[index + 1 :])
            yield f"{host.name} {what}", World(hosts, world.network | {sent} if sent else world.network)


def check(hosts: tuple[Host, ...]) -> None:
    """The laws of atomic commitment that hold in every world."""
    leader, *members = hosts
    parts = {member.part for member in members}
    assert not {"done", "undone"} <= parts, "a mixed outcome"
    if leader.log is not None:
        assert "undone" not in parts, "undone although a commit is logged"
    if any(member.vote is Vote.NO for member in members):
        assert "done" not in parts, "committed although one voted no"


def is_settled(hosts: tuple[Host, ...]) -> bool:
    """Nobody is bound or has anything left to remember."""
    return all(host.state is not None and not host.todo and host.log is None for host in hosts) and all(
        member.part != "open" for member in hosts[1:]
    )


class Search:
    """Every world that can be reached from a first one, each checked.

    Hosts and letters are numbered, for there are few of them and many worlds: a world is the numbers of its hosts and
    a set of bits for what was said.
    """

    def __init__(self, first: World) -> None:
        self._hosts: list[Host] = []
        self._numbers: dict[Host, int] = {}
        self._letters: dict[Letter, int] = {}
        self._moves: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self._places = {host.name: index for index, host in enumerate(first.hosts)}
        self._to = [0] * len(first.hosts)
        start = (tuple(self._number(host) for host in first.hosts), 0)
        self.worlds: dict[tuple[tuple[int, ...], int], list[Any]] = {start: []}
        self._explore(start)

    def _explore(self, start: tuple[tuple[int, ...], int]) -> None:
        todo = [start]
        while todo:
            world = todo.pop()
            for after in self._following(*world):
                if after not in self.worlds:
                    check(self._known(after))
                    self.worlds[after] = []
                    todo.append(after)
                self.worlds[after].append(world)

    def _number(self, host: Host) -> int:
        number = self._numbers.setdefault(host, len(self._hosts))
        if number == len(self._hosts):
            self._hosts.append(host)
        return number

    def _known(self, world: tuple[tuple[int, ...], int]) -> tuple[Host, ...]:
        return tuple(self._hosts[number] for number in world[0])

    def _bit(self, letter: Letter) -> int:
        bit = self._letters.setdefault(letter, 1 << len(self._letters))
        self._to[self._places[letter[0]]] |= bit
        return bit

    def _following(self, numbers: tuple[int, ...], said: int) -> Iterator[tuple[tuple[int, ...], int]]:
        for index, number in enumerate(numbers):
            for after, sent in self._moves_of(number, said & self._to[index]):
                if after != number or sent & ~said:
                    yield (*numbers[:index], after, *numbers[index + 1 :]), said | sent

    def _moves_of(self, number: int, said: int) -> list[tuple[int, int]]:
        if (found := self._moves.get((number, said))) is None:
            letters = tuple(letter for letter, bit in self._letters.items() if bit & said)
            moved = moves(self._hosts[number], letters)
            found = [(self._number(after), self._bit(sent) if sent else 0) for _, after, sent in moved]
            self._moves[number, said] = found
        return found

    def stuck(self) -> int:
        """In how many worlds it cannot end any more, whatever happens."""
        todo = [world for world in self.worlds if is_settled(self._known(world))]
        good = set(todo)
        while todo:
            for world in self.worlds[todo.pop()]:
                if world not in good:
                    good.add(world)
                    todo.append(world)
        return len(self.worlds) - len(good)
