"""What a load test found out, and whether to believe it."""
