"""`seawall tx`: what distributed transactions are doing, and what a person does about them."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console

from seawall.cli._tx_log import Found, find, is_over, look, resume_all, resume_one, runners_of
from seawall.cli._tx_view import history_json, history_view, list_json, list_view, one_line
from seawall.cli._words import Duration, usage_errors
from seawall.distributed.transactions import Order
from seawall.errors import EngineError, TransactionBusy, TransactionError, TransactionUnknown

NOT_DONE, UNREACHABLE, UNKNOWN, REFUSED = 1, 3, 4, 5


def _options(*more: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The options of every subcommand, and some of its own before them."""
    common = (
        click.option("--engine", "url", required=True, envvar="SEAWALL_ENGINE", metavar="URL", help="Of the log."),
        click.option("--namespace", default="transactions", show_default=True, help="Of the log."),
        click.option("--json", "as_json", is_flag=True, help="For programs."),
    )

    def dress(command: Any) -> Any:
        for option in reversed((*more, *common)):
            command = option(command)
        return command

    return dress


_KIND = click.option("--kind", default="saga", show_default=True, help="Of the transaction.")
_SAGAS = click.option(
    "--sagas",
    metavar="MODULE:NAME",
    help="The definitions: a Saga or Tcc, several, an orchestrator, or a function that gives them.",
)
_WHY = click.option("--why", required=True, help="For the history.")
_BY = click.option("--by", default=getpass.getuser, show_default="you", help="Who decides, for the history.")


@click.group()
def tx() -> None:
    """Distributed transactions: see them, go on with them, decide where only a person can.

    Exit codes: 0 done, 1 it has not come to its end or not to the one that was wanted, 2 bad usage, 3 the engine could
    not be reached, 4 no such transaction, 5 not now: somebody works on it, or it makes no sense where it stands.
    """


@tx.command("list")
@_options(
    click.option("--kind", help="Only these: saga, tcc..."),
    click.option("--state", help="Only those in this state: running, parked, done..."),
    click.option("--finished", is_flag=True, help="Those that are over, in place of those that are not."),
    click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="At most so many."),
)
def list_(
    url: str, *, namespace: str, as_json: bool, kind: str | None, state: str | None, finished: bool, limit: int
) -> None:
    """List transactions: what each is, how far it has come, and why it stands."""
    with _errors(), look(url, namespace) as log:
        found = find(log, kind, state, finished or is_over(kind, state), limit)
        now_us = log.now_us()
    if as_json:
        click.echo(json.dumps([list_json(each) for each in found]))
    else:
        Console().print(list_view(found, now_us))


@tx.command()
@click.argument("id")
@_options(_KIND)
def show(id: str, *, url: str, namespace: str, as_json: bool, kind: str) -> None:
    """Show the history of one transaction, with times."""
    with _errors(), look(url, namespace) as log:
        found = Found.load(log, kind, id)
    if as_json:
        click.echo(json.dumps(history_json(found)))
    else:
        Console().print(history_view(found))


@tx.command()
@click.argument("id", required=False)
@_options(_KIND, _SAGAS, click.option("--all", "all_", is_flag=True, help="All that nobody has."))
def resume(
    id: str | None, *, url: str, namespace: str, as_json: bool, kind: str, sagas: str | None, all_: bool
) -> None:
    """Go on with a transaction whose owner is gone, until its end."""
    with usage_errors():
        if sagas is None:
            raise click.UsageError("resume needs --sagas module:name: the code of its steps")
        if (id is None) != all_:
            raise click.UsageError("give the ID of one transaction, or --all")
    with _errors(), look(url, namespace) as log:
        runners = runners_of(sagas, log)
        ids = resume_all(runners) if id is None else [resume_one(runners, kind, id)]
        _conclude([Found.load(log, kind, each) for kind, each in ids], as_json)


def _order(what: Order, explanation: str, wanted: Callable[[Found], bool] | None = None) -> None:
    @tx.command(what, help=explanation)
    @click.argument("id")
    @_options(_WHY, _BY, _KIND, *([] if wanted is None else [_SAGAS]))
    def command(
        id: str, *, url: str, namespace: str, as_json: bool, kind: str, why: str, by: str, sagas: str | None = None
    ) -> None:
        with _errors(), look(url, namespace) as log:
            runners = {} if sagas is None else runners_of(sagas, log)
            log.order(kind, id, what, by=by, why=why)
            if sagas is not None:
                resume_one(runners, kind, id)
            _conclude([Found.load(log, kind, id)], as_json, wanted if sagas is not None else None)


_order("park", "Keep everybody from going on with a transaction, until retry or compensate.")
_order("resolve", "Declare a transaction finished as it is: somebody has seen to it by hand.")
_order("compensate", "Send a transaction back. With --sagas it is done at once, else by a worker.", Found.has_gone_back)
_order(
    "retry",
    "Let a parked transaction go on with all its attempts again. With --sagas it is done at once, else by a worker.",
    Found.has_ended,
)


@tx.command()
@_options(
    click.option("--older", type=Duration(), required=True, help="Than this: 90d is not understood, 2160h is."),
    click.option("--kind", default="saga", show_default=True, help="Only these."),
)
def prune(url: str, *, namespace: str, as_json: bool, older: float, kind: str) -> None:
    """Forget transactions that ended long ago; their ids may then be used again."""
    with _errors(), look(url, namespace) as log:
        count = log.prune(kind, older=older)
    click.echo(json.dumps({"pruned": count}) if as_json else f"{count:,} forgotten")


def _conclude(found: list[Found], as_json: bool, wanted: Callable[[Found], bool] | None = Found.has_ended) -> None:
    """Tell how they stand; exit 1 when one did not end as was wanted."""
    if as_json:
        click.echo(json.dumps([list_json(each) for each in found]))
    else:
        console = Console()
        for each in found:
            console.print(one_line(each))
        if not found:
            console.print("nothing to go on with")
    if wanted is not None and not all(wanted(each) for each in found):
        sys.exit(NOT_DONE)


@contextmanager
def _errors() -> Iterator[None]:
    """Errors in one line, and their exit codes."""
    try:
        with usage_errors():
            yield
    except TransactionUnknown as error:
        _exit(UNKNOWN, error)
    except (TransactionBusy, TransactionError) as error:
        _exit(REFUSED, error)
    except EngineError as error:
        _exit(UNREACHABLE, error)


def _exit(code: int, error: Exception) -> None:
    click.echo(f"Error: {error}", err=True)
    sys.exit(code)
