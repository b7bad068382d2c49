"""One load test made by several processes of a machine, which count into the same memory."""
