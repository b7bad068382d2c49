"""What calls cost, ours and those of other libraries: see benchmarks/README.md."""
