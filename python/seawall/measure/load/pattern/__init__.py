"""Shapes of load: rate functions with exact integrals, and when their requests are due."""
