"""Finds out what an error means, by rules that the most specific wins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from seawall._errors import ConfigError
from seawall.errors._cancellation import is_cancellation
from seawall.errors._classification import Advice, Classification, Kind, Severity, classification
from seawall.errors._statuses import by_grpc, by_http, status_of

Rule = Callable[[Any], Classification | None]


class Classifier:
    """Rules from errors to what they mean.

    Guarantees: Asked in this order, the first that answers wins:

    1. cancellation, which is `Kind.cancelled` and cannot be redefined;
    2. predicates, the latest first;
    3. the classes of the error from its own to its farthest base; for each the rules registered for the class, then
       those for its name, the latest first. Before the first class built into Python, the status the error carries;
    4. `Kind.unknown`.

    A group of errors is as its worst member: one that is not retryable before one that is, then the more severe.

    Thread safety: yes. `classify` takes no lock.

    Args:
        known: Rules to begin with, by class or by "package.Class"; by default none.

    Example:
        >>> class OutOfStock(Exception): ...
        >>> shop = Classifier()
        >>> _ = shop.register(OutOfStock, Kind.invalid, severity=Severity.info)
        >>> shop.classify(OutOfStock()).severity.name, shop.classify(429).kind.name
        ('info', 'rate_limited')
    """

    def __init__(self, known: Mapping[type | str, tuple[Rule, ...]] | None = None) -> None:
        self._lock = threading.Lock()
        self._rules: dict[type | str, tuple[Rule, ...]] = dict(known or {})
        self._predicates: tuple[Rule, ...] = ()

    def register(
        self,
        what: type | str | Callable[[Any], bool],
        kind: Kind,
        *,
        severity: Severity | None = None,
        advice: Advice | None = None,
        when: Callable[[Any], bool] | None = None,
        refused: bool = False,
    ) -> Classifier:
        """Add a rule; returns the classifier, so that calls can be chained.

        Args:
            what: A class; "package.Class" with the top package of the class, for a library that need not be installed;
                or a predicate, which is asked before all classes.
            kind: What the error is.
            severity: How severe; by default what is usual for the kind.
            advice: What to do about it; by default what is usual for the kind.
            when: Further condition, such as an error number; the rule is passed over when it does not hold.
            refused: The call was refused before the callee was asked.

        Raises:
            ConfigError: `what` is none of these.
        """
        found = classification(kind, severity, advice, refused=refused)
        return self.register_rule(what, lambda error: found if when is None or when(error) else None)

    def register_rule(self, what: type | str | Callable[[Any], bool], rule: Rule) -> Classifier:
        """`register` for a rule that finds out itself; it answers None to pass the error on."""
        if not isinstance(what, (type, str)) and callable(what):
            predicate = what
            with self._lock:
                self._predicates = (lambda error: rule(error) if predicate(error) else None, *self._predicates)
            return self
        if not isinstance(what, type) and not (isinstance(what, str) and "." in what):
            raise ConfigError(f"a rule must be for a class, 'package.Class' or a predicate, got {what!r}")
        with self._lock:
            self._rules = {**self._rules, what: (rule, *self._rules.get(what, ()))}
        return self

    def copy(self) -> Classifier:
        """An independent classifier with the same rules."""
        other = Classifier(self._rules)
        other._predicates = self._predicates
        return other

    def classify(self, error: Any) -> Classification:
        """What `error` means.

        Args:
            error: An exception, an HTTP status (100 to 599), the name of a gRPC status, or any object that carries one.

        Raises:
            ConfigError: A number or a text that is no status.
        """
        if isinstance(error, int) and not isinstance(error, bool):
            return by_http(int(error))
        if isinstance(error, str):
            return by_grpc(error)
        if is_cancellation(error):
            return classification(Kind.cancelled)
        for rule in self._predicates:
            if (found := rule(error)) is not None:
                return found
        if isinstance(error, BaseExceptionGroup):
            return max(map(self.classify, error.exceptions), key=_badness)
        return self._by_class(error) or classification(Kind.unknown)

    def _by_class(self, error: Any) -> Classification | None:
        status_asked = False
        for kind in type(error).__mro__:
            if kind.__module__ == "builtins" and not status_asked:
                status_asked = True
                if (found := status_of(error)) is not None:
                    return found
            for rule in self._rules_for(kind):
                if (found := rule(error)) is not None:
                    return found
        return None

    def _rules_for(self, kind: type) -> tuple[Rule, ...]:
        name = f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}"
        return self._rules.get(kind, ()) + self._rules.get(name, ())


def _badness(found: Classification) -> tuple[bool, bool, int]:
    return found.kind is not Kind.cancelled, not found.is_retryable, found.severity
