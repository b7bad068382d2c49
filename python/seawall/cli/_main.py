"""The commands and their common manners."""

from __future__ import annotations

import click

from seawall.cli._baseline import baseline
from seawall.cli._capacity import capacity
from seawall.cli._compare import compare
from seawall.cli._dashboard import dashboard
from seawall.cli._load import load
from seawall.cli._report import report
from seawall.cli._top import top
from seawall.cli._tx import tx
from seawall.cli.demo._command import demo


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="seawall")
def main() -> None:
    """Guards that cost nanoseconds, measurements that do not lie."""


main.add_command(load)
main.add_command(capacity)
main.add_command(compare)
main.add_command(baseline)
main.add_command(report)
main.add_command(tx)
main.add_command(top)
main.add_command(dashboard)
main.add_command(demo)
