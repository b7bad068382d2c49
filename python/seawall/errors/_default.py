"""The classifier that everything in seawall asks unless it is given another."""

from __future__ import annotations

from typing import Any

from seawall.errors._classification import Classification
from seawall.errors._classifier import Classifier
from seawall.errors._known import KNOWN

default_classifier = Classifier(KNOWN)
"""Knows seawall's errors, Python's, and those of common libraries; `register` what else your service meets."""


def classify(error: Any, *, classifier: Classifier | None = None) -> Classification:
    """What `error` means, by the default classifier or another.

    Args:
        error: An exception, an HTTP status (100 to 599), the name of a gRPC status, or any object that carries one.
        classifier: Whom to ask.

    Raises:
        ConfigError: A number or a text that is no status.

    Example:
        >>> found = classify(ConnectionResetError())
        >>> found.kind.name, found.is_retryable, found.counts_as_failure
        ('transient', True, True)
        >>> classify("RESOURCE_EXHAUSTED") == classify(429)
        True
    """
    return (classifier or default_classifier).classify(error)
