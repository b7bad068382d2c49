"""What several processes or machines agree on: clocks, hashing, locks, election, transactions."""
