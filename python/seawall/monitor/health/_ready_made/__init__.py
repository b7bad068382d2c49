"""Checks of what services commonly depend on."""
