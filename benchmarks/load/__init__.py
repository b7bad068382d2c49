"""The load generator against others, and against arithmetic: `python -m benchmarks.load`."""
