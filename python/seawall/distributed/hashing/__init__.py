"""Consistent hashing."""
