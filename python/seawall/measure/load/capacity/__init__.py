"""The highest rate that a target keeps up with."""
