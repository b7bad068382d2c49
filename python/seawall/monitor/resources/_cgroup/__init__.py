"""Control groups of Linux, versions 1 and 2: where this process is in them, and what they allow it."""
