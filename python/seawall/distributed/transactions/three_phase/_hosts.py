"""Sites of both protocols, as the simulated network runs them; for study."""

from __future__ import annotations

from seawall.distributed.transactions.three_phase._machine import Say, Site
from seawall.distributed.transactions.three_phase._network import Sends
from seawall.distributed.transactions.two_phase._machine import Coordinator, CoordinatorStep, Member, Phase
from seawall.distributed.transactions.two_phase._messages import Action, Finish, Force, Message, Tell, Vote


class ThreePhaseHost:
    """A site of three-phase commit."""

    def __init__(self, site: Site) -> None:
        self._site = site

    @property
    def end(self) -> str:
        """How it has ended."""
        return str(self._site.state) if self._site.state.is_final else ""

    def begin(self) -> Sends:
        """Ask for votes."""
        return self._taken(*self._site.begin())

    def heard(self, sender: str, message: str) -> Sends:
        """A message has come."""
        return self._taken(*self._site.heard(sender, Say(message)))

    def timed_out(self) -> Sends:
        """Go on without the others."""
        return self._taken(*self._site.timed_out())

    def _taken(self, site: Site, letters: tuple[tuple[str, Say], ...]) -> Sends:
        self._site = site
        return [(to, str(say)) for to, say in letters]


class TwoPhaseCoordinatorHost:
    """The coordinator of two-phase commit; its log writes at once."""

    def __init__(self, participants: tuple[str, ...]) -> None:
        self._state = Coordinator(participants)

    @property
    def end(self) -> str:
        """How it has ended; a commit is decided before all know it."""
        ends = {Phase.ABORTED: "aborted", Phase.COMMITTED: "committed"}
        return ends.get(self._state.phase, "")

    def begin(self) -> Sends:
        """Ask for votes."""
        return self._taken(self._state.begin())

    def heard(self, sender: str, message: str) -> Sends:
        """A message has come."""
        return self._taken(self._state.heard(sender, Message(message)))

    def timed_out(self) -> Sends:
        """Give up, or tell again."""
        return self._taken(self._state.timed_out())

    def _taken(self, step: CoordinatorStep) -> Sends:
        self._state = step.state
        if any(isinstance(action, Force) for action in step.actions):
            return self._taken(step.state.logged(done=True))
        return [(action.to, str(action.message)) for action in step.actions if isinstance(action, Tell)]


class TwoPhaseMemberHost:
    """A participant of two-phase commit."""

    def __init__(self, *, vote: bool = True) -> None:
        self._member = Member()
        self._vote = Vote.YES if vote else Vote.NO
        self.end = ""

    def begin(self) -> Sends:
        """Nothing: it is asked."""
        return []

    def heard(self, sender: str, message: str) -> Sends:  # noqa: ARG002 -- it only hears the coordinator
        """A message has come."""
        said = Message(message)
        step = self._member.asked(self._vote) if said is Message.PREPARE else self._member.told(said)
        return self._taken(*step)

    def timed_out(self) -> Sends:
        """Ask what has been decided."""
        return self._taken(*self._member.timed_out())

    def _taken(self, member: Member, actions: tuple[Action, ...]) -> Sends:
        self._member = member
        for action in actions:
            if isinstance(action, Finish):
                self.end = "committed" if action.commit else "aborted"
        return [(action.to, str(action.message)) for action in actions if isinstance(action, Tell)]
