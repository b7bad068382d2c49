"""Services that react to each other, on one SQLite file each and on one shared one."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from seawall.clock import ManualClock
from seawall.distributed.transactions.choreography import (
    Event,
    Participant,
    Relay,
    Subscriptions,
    sqlite_transactions,
)
from seawall.engines import open_engine
from seawall.errors import ConfigError, Damaged, StepRefused, Unavailable, WrongVersion
from seawall.guard.retry import Constant


class World:
    """A shop, a bank and a stock, each with a database, and a broker between them."""

    def __init__(self, directory: Any) -> None:
        self.clock = ManualClock(1_000.0, autojump=True)
        self.directory = directory
        self.engines: list[Any] = []
        self.broker = self.open("broker").journal()

    def open(self, name: str) -> Any:
        """The engine on a service's database."""
        engine = open_engine(f"sqlite:///{self.directory / name}.db", clock=self.clock, durability="os")
        engine.check()
        self.engines.append(engine)
        return engine

    def service(self, name: str, **options: Any) -> Participant:
        """A participant with a table of effects."""
        transactions = sqlite_transactions(self.directory / f"{name}.db")
        journal = self.open(name).journal()
        with transactions() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS effects (what)")
        return Participant(name, journal, transactions, source=self.broker, **options)

    def effects(self, name: str) -> list[str]:
        """What a service has done."""
        with sqlite_transactions(self.directory / f"{name}.db")() as connection:
            return [what for (what,) in connection.execute("SELECT what FROM effects")]

    def relay(self, of: Participant, publish: Any = None, **options: Any) -> Relay:
        """The relay of a participant's outbox."""
        publish = publish or Subscriptions(
            self.broker, {"shop": ["*"], "bank": ["order.*"], "stock": ["payment.taken"]}
        )
        return Relay(of.name, of._journal, publish, **options)

    def begin(self, shop: Participant, type: str = "order.placed", data: Any = None, **more: Any) -> Event:
        """The shop begins something, in a transaction of its own."""
        with sqlite_transactions(self.directory / f"{shop.name}.db")() as connection:
            return shop.emit_within(connection, type, data, **more)

    def deliver(self, to: str, *events: Event | bytes) -> None:
        """Put events into a participant's stream."""
        self.broker.append(f"events/{to}", *(each if isinstance(each, bytes) else each.encode() for each in events))


@pytest.fixture
def world(tmp_path):
    """A world that is closed afterwards."""
    made = World(tmp_path)
    yield made
    for engine in made.engines:
        engine.close()


def note(reaction: Any, what: str) -> None:
    """An effect."""
    reaction.transaction.execute("INSERT INTO effects VALUES (?)", (what,))


def event(number: int = 1, type: str = "order.placed", **more: Any) -> Event:
    """An event from elsewhere."""
    return Event(type, {"n": number}, f"e{number}", "k", f"e{number}", **more)


def test_a_saga_goes_from_service_to_service(world):
    """Each effect once, with the ids that tell what came of what."""
    shop, bank, stock = world.service("shop"), world.service("bank"), world.service("stock")

    @bank.on("order.placed")
    def charge(reaction):
        note(reaction, f"charged {reaction.event.data['price']}")
        reaction.emit("payment.taken", {"price": reaction.event.data["price"]})

    @stock.on("payment.taken")
    def ship(reaction):
        note(reaction, f"shipped {reaction.event.key}")
        reaction.emit("order.shipped")

    seen = []

    @shop.on("*")
    def follow(reaction):
        seen.append(reaction.event)

    begun = world.begin(shop, data={"price": 7}, key="order-1")
    everybody = [world.relay(shop), bank, world.relay(bank), stock, world.relay(stock), shop]
    while sum(each.drain() for each in everybody):
        pass
    assert world.effects("bank") == ["charged 7"]
    assert world.effects("stock") == ["shipped order-1"]
    assert [each.type for each in seen] == ["order.placed", "payment.taken", "order.shipped"]
    assert {each.correlation_id for each in seen} == {begun.id}
    assert [each.causation_id for each in seen] == ["", begun.id, seen[1].id]
    assert [each.hops for each in seen] == [0, 1, 2]
    assert {each.key for each in seen} == {"order-1"}
    assert bank.stats().done == 1
    assert repr(bank) == "<Participant bank on events/bank>"


def test_nothing_is_told_when_the_transaction_is_rolled_back(world):
    """Outbox, inbox and effect are one transaction, and the next attempt says the same with the same id."""
    bank = world.service("bank", backoff=Constant(0))
    fails = [True]
    emitted = []

    @bank.on("order.placed")
    def charge(reaction):
        note(reaction, "charged")
        emitted.append(reaction.emit("payment.taken"))
        if fails.pop():
            fails.append(False)
            raise ConnectionError("the card network is away")

    world.deliver("bank", event())
    assert bank.drain() == 0
    assert world.effects("bank") == []
    assert bank._journal.last("outbox/bank") == 0
    assert bank.drain() == 1
    assert world.effects("bank") == ["charged"]
    assert [Event.decode(record.data).id for record in bank._journal.scan("outbox/bank")] == [emitted[0].id]
    assert emitted[0].id == emitted[1].id
    assert (bank.stats().failed, bank.stats().done) == (1, 1)


def test_an_event_that_comes_again_is_known_within_the_window(world):
    """And forgotten after it, which is what the window is."""
    bank = world.service("bank", window=3_600, ttl=60)

    @bank.on("order.placed")
    def charge(reaction):
        note(reaction, "charged")

    world.deliver("bank", event(), event())
    assert bank.drain() == 2
    world.clock.advance(3_000)
    world.deliver("bank", event())
    assert bank.drain() == 1
    assert world.effects("bank") == ["charged"]
    assert bank.stats().duplicates == 2
    world.clock.advance(700)
    world.deliver("bank", event())
    bank.drain()
    assert world.effects("bank") == ["charged", "charged"]


@pytest.mark.parametrize("ordered", [True, False])
def test_an_event_that_keeps_failing_is_parked_with_its_story(world, ordered):
    """After its attempts; what comes behind it goes on; a person retries or discards it."""
    bank = world.service("bank", attempts=3, backoff=Constant(5), ordered=ordered)
    broken = [True]

    @bank.on("order.placed")
    def charge(reaction):
        if broken[0] and reaction.event.data["n"] == 1:
            raise ValueError("no such card")
        note(reaction, reaction.event.id)

    world.deliver("bank", event(1), event(2))
    for _ in range(4):
        bank.drain()
        world.clock.advance(6)
    assert world.effects("bank") == ["e2"]
    (parked,) = bank.parked()
    assert parked.event == event(1)
    assert parked.reason == "3 attempts failed; the last: ValueError: no such card"
    assert [failure.error for failure in parked.failures] == ["ValueError: no such card"] * 3
    assert bank.stats().given_up == 1
    assert world.broker.streams("events/") == world.broker.streams("failed/") == world.broker.streams("held/") == ()
    broken[0] = False
    assert bank.retry(parked.id) is True
    assert bank.retry(parked.id) is False
    assert bank.drain() == 1
    assert world.effects("bank") == ["e2", "e1"]
    assert bank.parked() == ()
    assert bank.discard(parked.id) is False


def test_order_is_kept_while_the_first_event_waits(world):
    """Nothing overtakes an event that is to be tried again."""
    bank = world.service("bank", backoff=Constant(5))
    fails = [True]

    @bank.on("order.placed")
    def charge(reaction):
        if fails:
            fails.pop()
            raise ConnectionError("away")
        note(reaction, reaction.event.id)

    world.deliver("bank", *(event(number) for number in range(1, 5)))
    assert bank.drain() == 0
    world.clock.advance(6)
    assert bank.drain() == 4
    assert world.effects("bank") == ["e1", "e2", "e3", "e4"]


def test_attempts_are_counted_across_workers(world):
    """Also of an event that is not the first, and nothing is left of them in the end."""
    bank = world.service("bank", attempts=2, backoff=Constant(0))

    @bank.on("order.placed")
    def charge(reaction):
        if reaction.event.id == "e2":
            raise ValueError("no")

    world.deliver("bank", event(1), event(2))
    whole, world.broker._trim = world.broker._trim, None
    with pytest.raises(TypeError):
        bank.drain()  # dies before e1 is cut off
    world.broker._trim = whole
    world.clock.advance(61)
    bank.drain()
    (parked,) = bank.parked()
    assert (parked.event.id, len(parked.failures)) == ("e2", 2)
    assert world.broker.streams("failed/") == world.broker.streams("events/") == ()


def test_only_one_worker_follows_an_ordered_stream(world):
    """The other stands by, until the first has let go or its claim has run out."""
    bank = world.service("bank", ttl=30)

    @bank.on("order.placed")
    def charge(reaction):
        note(reaction, reaction.event.id)

    claim = world.broker.claim("events/bank", "another", 30)
    world.deliver("bank", event())
    assert bank.drain() == 0
    world.clock.advance(31)
    assert bank.drain() == 1
    assert world.broker.release(claim) is False
    assert world.broker.claim("events/bank", "another", 30) is not None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"nonsense", "Damaged: this is no event: b'nonsense'"),
        (b'{"v":1,"type":7}', 'Damaged: this is no event: b\'{"v":1,"type":7}\''),
        (
            event(1, "order.lost").encode(),
            "ConfigError: participant 'bank' has no handler of 'order.lost'; register one",
        ),
        (
            event().encode().replace(b'"v":1', b'"v":2'),
            "WrongVersion: an event of version 2, this seawall reads version 1; upgrade it",
        ),
    ],
)
def test_what_nobody_can_handle_is_parked_at_once(world, data, reason):
    """Nothing is lost, and a handler that is deployed later gets it by a retry."""
    bank = world.service("bank")
    bank.on("order.placed")(lambda reaction: note(reaction, "charged"))
    world.deliver("bank", data)
    assert bank.drain() == 1
    (parked,) = bank.parked()
    assert (parked.reason, parked.data) == (reason, data)
    assert bank.discard(parked.id) is True
    assert bank.parked() == ()


@pytest.mark.parametrize("refuses", [True, False])
def test_a_failure_is_told_as_an_event_where_one_is_named(world, refuses):
    """At once for StepRefused, else after the attempts; and then the event is not handled any more."""
    bank = world.service("bank", attempts=2, backoff=Constant(0))

    @bank.on("order.placed", failed="payment.failed")
    def charge(reaction):
        note(reaction, "charged")
        raise StepRefused("card declined") if refuses else ValueError("no such card")

    world.deliver("bank", event(), event())
    for _ in range(3):
        bank.drain()
    (failure,) = [Event.decode(record.data) for record in bank._journal.scan("outbox/bank")]
    reason = "StepRefused: card declined" if refuses else "2 attempts failed; the last: ValueError: no such card"
    assert (failure.type, failure.data) == (
        "payment.failed",
        {"reason": reason, "event": "order.placed", "data": {"n": 1}},
    )
    assert (failure.causation_id, failure.hops, failure.key) == ("e1", 1, "k")
    assert world.effects("bank") == []
    assert bank.parked() == ()
    assert (bank.stats().failed, bank.stats().duplicates) == (1 if refuses else 2, 1)


def test_a_chain_without_end_is_parked(world):
    """Two services that answer each other are found out by the number of hops."""
    bank = world.service("bank", max_hops=3)
    relay = world.relay(bank, Subscriptions(world.broker, {"bank": "*"}))
    bank.on("a.said", "b.said")(
        lambda reaction: reaction.emit("b.said" if reaction.event.type == "a.said" else "a.said")
    )
    world.begin(bank, "a.said")
    while relay.drain() + bank.drain():
        pass
    (parked,) = bank.parked()
    assert parked.event.hops == 3
    assert parked.reason.endswith(
        f": event {parked.event.id} has 3 handlers behind it and max_hops is 3; see whether 'a.said' and 'b.said' call "
        "each other for ever, or raise it"
    )


@pytest.mark.parametrize("ordered", [True, False])
def test_an_event_over_which_workers_vanish_is_parked(world, ordered):
    """A killed process takes no attempt back; the next worker sees how often it happened."""
    bank = world.service("bank", crashes=3, ordered=ordered, ttl=10)
    begun = [0]

    @bank.on("order.placed")
    def charge(reaction):
        begun[0] += 1
        reaction.transaction.close()  # as the end of its process does
        raise Killed

    class Killed(BaseException):
        """The end of a process, as far as anything written is concerned."""

    from seawall.distributed.transactions.choreography import _flow

    world.deliver("bank", event())
    for _ in range(12):
        with suppress(Killed):
            drive(_flow, bank._draining(), Killed)  # left where it stood
        world.clock.advance(11)
    bank.drain()
    (parked,) = bank.parked()
    assert parked.reason == "3 workers have vanished over it; see why it kills them"
    assert begun[0] == (3 if ordered else 5)
    assert world.broker.streams("held/") == ()


def drive(flows: Any, flow: Any, killed: type[BaseException]) -> None:
    """Run a flow, and leave it where a call raises `killed`: the end of its process, which cleans nothing up."""
    reply, error = None, None
    while True:
        try:
            step = flow.send(reply) if error is None else flow.throw(error)
        except StopIteration:
            return
        reply = error = None
        try:
            match step:
                case flows.Ask(journal, operation):
                    reply = journal._driver.run(operation)
                case flows.Call(function, args):
                    reply = function(*args)
        except killed:
            raise
        except Exception as raised:  # noqa: BLE001 -- the flow's to handle
            error = raised


def test_trouble_with_the_database_costs_no_attempts(world):
    """An outage parks nothing."""
    bank = world.service("bank", attempts=1, backoff=Constant(1))
    bank.on("order.placed")(lambda reaction: note(reaction, "charged"))
    whole, away = bank._transaction, [True]

    @contextmanager
    def transaction():
        if away[0]:
            raise sqlite3.OperationalError("unable to open database file")
        with whole() as connection:
            yield connection

    bank._transaction = transaction
    world.deliver("bank", event())
    for _ in range(30):
        assert bank.drain() == 0
        world.clock.advance(2)
    away[0] = False
    assert bank.drain() == 1
    assert world.effects("bank") == ["charged"]
    assert bank.stats().troubles == 30


@pytest.mark.parametrize("ordered", [True, False])
def test_a_relay_tries_again_until_its_event_is_told(world, ordered):
    """An event leaves the outbox when it was published, and not before."""
    shop = world.service("shop")
    told: list[str] = []
    away = [True]

    def publish(event: Event) -> None:
        if away[0]:
            raise ConnectionError("away")
        told.append(event.type)

    relay = world.relay(shop, publish, ordered=ordered, backoff=Constant(1))
    world.begin(shop, "a.done")
    world.begin(shop, "b.done")
    for _ in range(5):
        assert relay.drain() == 0
        world.clock.advance(2)
    away[0] = False
    assert relay.drain() == 2
    assert told == ["a.done", "b.done"]
    assert shop._journal.streams() == ()


def test_a_relay_with_attempts_parks_what_cannot_be_told(world):
    """And what is no event, with or without."""
    shop = world.service("shop")

    def publish(event: Event) -> None:
        raise ValueError("too large")

    relay = world.relay(shop, publish, attempts=1)
    world.begin(shop)
    shop._journal.append("outbox/shop", b"nonsense")
    assert relay.drain() == 2
    assert [parked.reason for parked in relay.parked()] == [
        "1 attempts failed; the last: ValueError: too large",
        "Damaged: this is no event: b'nonsense'",
    ]
    first, second = relay.parked()
    assert relay.parked(after=first.id) == (second,)
    assert relay.parked(limit=1) == (first,)


def test_a_relay_tells_many_in_one_write(world):
    """As many as make a million bytes, up to what is no event, which is parked; the order stays."""
    shop = world.service("shop")
    relay = world.relay(shop, Subscriptions(world.broker, {"bank": ["order.placed"], "stock": "*"}))
    writes: list[int] = []
    whole = world.broker._append

    def append(stream: str, records: tuple[bytes, ...], *more: Any) -> Any:
        writes.append(len(records))
        return (yield from whole(stream, records, *more))

    world.broker._append = append
    for number in range(5):
        world.begin(shop, data=number)
    shop._journal.append("outbox/shop", b"nonsense")
    for number in range(5, 8):
        world.begin(shop, data=[number, "x" * 400_000])
    assert relay.drain() == 9
    assert writes == [5, 5, 2, 2, 1, 1]
    events = [Event.decode(record.data) for record in world.broker.scan("events/bank")]
    assert [event.data if event.data in range(5) else event.data[0] for event in events] == list(range(8))
    assert len(relay.parked()) == 1


def test_events_of_one_key_go_to_one_partition(world):
    """So they keep their order while partitions are handled at the same time."""
    bank = world.service("bank", partitions=4)
    relay = world.relay(bank, Subscriptions(world.broker, {"bank": ["order.placed"]}, partitions={"bank": 4}))
    seen: dict[str, list[int]] = {}
    bank.on("order.placed")(lambda reaction: seen.setdefault(reaction.event.key, []).append(reaction.event.data))
    for number in range(40):
        world.begin(bank, data=number, key=f"k{number % 8}")
    assert relay.drain() == 40
    assert len(world.broker.streams("events/bank/")) > 1
    assert bank.drain() == 40
    assert seen == {f"k{key}": list(range(key, 40, 8)) for key in range(8)}


def test_tasks_do_the_same(world):
    """Coroutine functions as handlers and as publisher."""
    bank = world.service("bank")
    told: list[Event] = []

    @bank.on("order.placed")
    async def charge(reaction):
        await asyncio.sleep(0)
        note(reaction, "charged")
        reaction.emit("payment.taken")

    async def publish(event: Event) -> None:
        await asyncio.sleep(0)
        told.append(event)

    relay = world.relay(bank, publish)

    async def all_of_it() -> None:
        with sqlite_transactions(world.directory / "bank.db")() as connection:
            await bank.emit_within_async(connection, "order.begun")
        assert await bank.drain_async() == 1
        assert await relay.drain_async() == 2
        assert await bank.handle_async(event()) is False
        world.deliver("bank", event(2, "order.lost"))
        assert await bank.drain_async() == 1
        (parked,) = await bank.parked_async()
        assert await bank.retry_async(parked.id) is True
        assert await bank.drain_async() == 1
        (parked,) = await bank.parked_async()
        assert await bank.discard_async(parked.id) is True

    world.deliver("bank", event())
    asyncio.run(all_of_it())
    assert [each.type for each in told] == ["order.begun", "payment.taken"]
    assert world.effects("bank") == ["charged"]
    with pytest.raises(ConfigError, match=r"^'order.placed' of 'bank' is a coroutine function; use the"):
        bank.drain()
    with pytest.raises(ConfigError, match=r"^'publish' of 'bank' is a coroutine function; use the"):
        relay.run()


@pytest.mark.parametrize("ordered", [True, False])
def test_stop_ends_with_the_event_in_hand(world, ordered):
    """The rest is left for others at once."""
    bank = world.service("bank", ordered=ordered)

    @bank.on("order.placed")
    def charge(reaction):
        note(reaction, reaction.event.id)
        bank.stop()

    world.deliver("bank", event(1), event(2))
    bank.run()
    assert world.effects("bank") == ["e1"]
    assert repr(bank).endswith(" stopped>")
    other = world.service("bank", ordered=ordered)
    other.on("order.placed")(lambda reaction: note(reaction, reaction.event.id))
    assert other.drain() == 1
    assert world.effects("bank") == ["e1", "e2"]


def test_a_task_that_runs_ends_by_stop_or_cancellation(world):
    """Also while it waits for events."""
    bank = world.service("bank")
    bank.on("order.placed")(lambda reaction: bank.stop())

    async def both() -> None:
        world.deliver("bank", event(1))
        await bank.run_async()
        other = world.service("bank")
        task = asyncio.create_task(other.run_async())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(both())


def test_an_engine_that_is_away_is_waited_for(world):
    """`run` outlives it, `drain` says so."""
    bank = world.service("bank")
    bank.on("order.placed")(lambda reaction: bank.stop())
    world.deliver("bank", event())
    whole = world.broker._claim
    left = [3]

    def claim(*args: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise Unavailable("away")
        return (yield from whole(*args))

    world.broker._claim = claim
    with pytest.raises(Unavailable):
        bank.drain()
    bank.run()
    assert bank.stats().done == 1
    assert bank.stats().troubles == 2


def test_an_event_from_a_broker_is_handled_once(world):
    """`handle` raises what the handler raised, so that the broker sends it again."""
    bank = world.service("bank")
    fails = [True]

    @bank.on("order.placed")
    def charge(reaction):
        note(reaction, "charged")
        if fails:
            fails.pop()
            raise ValueError("no such card")

    with pytest.raises(ValueError, match=r"^no such card$"):
        bank.handle(event())
    assert bank.handle(event()) is True
    assert bank.handle(event()) is False
    assert world.effects("bank") == ["charged"]


def test_events_travel_as_json_with_a_version():
    """What was sent is what arrives; what is none is refused."""
    sent = replace(event(), data=[1, {"ä": None}], causation_id="c", hops=3, at_us=7)
    assert Event.decode(sent.encode()) == sent
    with pytest.raises(Damaged, match=r"^this is no event: b'\[\]'$"):
        Event.decode(b"[]")
    with pytest.raises(WrongVersion):
        Event.decode(sent.encode().replace(b'"v":1', b'"v":9'))


def test_malformed_events_are_refused(world):
    """Where they are emitted."""
    bank = world.service("bank")
    with pytest.raises(ConfigError) as refused:
        world.begin(bank, "order placed")
    assert str(refused.value) == (
        "type must be 1 to 200 ASCII letters, digits, '-' and '_', with dots between words, got 'order placed'"
    )
    with pytest.raises(ConfigError, match=r"^the data of event 'order.placed' must be JSON "):
        world.begin(bank, data={1, 2})
    with pytest.raises(ConfigError, match=r"^key must be text of 1 to 256 bytes without control"):
        world.begin(bank, key="a\n")


def test_malformed_participants_and_relays_are_refused(world):
    """When they are made."""
    journal = world.broker
    memory = open_engine("memory://").journal()
    transactions = sqlite_transactions("x.db")
    with pytest.raises(ConfigError, match=r"^name must be 1 to 64 ASCII letters, digits, '-' and '_', got 'a/b'$"):
        Participant("a/b", journal, transactions)
    with pytest.raises(ConfigError, match=r"^the journal of participant 'a' is on memory://, which cannot"):
        Participant("a", memory, transactions)
    with pytest.raises(ConfigError, match=r"^transaction must be a function that gives a context manager, got 'x"):
        Participant("a", journal, "x.db")
    with pytest.raises(ConfigError, match=r"^window=60.0 must be longer than ttl=60.0, or what"):
        Participant("a", journal, transactions, window=60)
    with pytest.raises(ConfigError, match=r"^publish must be Subscriptions or a function of an event, got 7$"):
        Relay("a", journal, 7)
    with pytest.raises(ConfigError, match=r"^partitions names b, which subscribes to nothing$"):
        Subscriptions(journal, {"a": "*"}, partitions={"b": 2})
    with pytest.raises(ConfigError, match=r"^subscriber 'a' wants no events; leave it out, or name types$"):
        Subscriptions(journal, {"a": ()})
    with pytest.raises(ConfigError, match=r"^partitions must be whole numbers from 1 to 1,024, got 0$"):
        Subscriptions(journal, {"a": "*"}, partitions={"a": 0})
    participant = Participant("a", journal, transactions)
    participant.on("x.y")(print)
    with pytest.raises(ConfigError, match=r"^participant 'a' has a handler of 'x.y' already$"):
        participant.on("x.y")(print)
    with pytest.raises(ConfigError, match=r"^on\(\) must name at least one type of events$"):
        participant.on()
    with pytest.raises(ConfigError, match=r"^id must be that of a parked event, such as '0.0000000000000042', got"):
        participant.retry("x")


def test_a_transaction_of_the_wrong_kind_ends_the_run(world):
    """It can never work, so it is not tried again for ever."""
    bank = world.service("bank")
    bank.on("order.placed")(print)
    bank._transaction = lambda: "connection"
    world.deliver("bank", event())
    with pytest.raises(ConfigError) as refused:
        bank.run()
    assert str(refused.value) == (
        "transaction must give a context manager that begins and commits a transaction, got 'connection'; for SQLite "
        "sqlite_transactions(path) makes one"
    )
