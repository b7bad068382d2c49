"""Whether one load test is slower than another, or nobody can tell."""
