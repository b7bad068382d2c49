"""An adaptive limit in front of a real server, beside static ones: `python -m benchmarks.adaptive`."""
