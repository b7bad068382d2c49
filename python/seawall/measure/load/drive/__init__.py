"""What starts the calls of a load test when they are due: the event loop, threads, or the engine in C++."""
