"""Transactions over several parties."""
