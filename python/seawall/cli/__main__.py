"""`python -m seawall.cli` is the `seawall` command."""

from seawall.cli import main

main()
