"""Ports to what keeps state for several processes or machines, and the engines behind them."""
