"""One hierarchy of errors for the whole house."""

from seawall.errors._hierarchy import ConfigError, RateLimited, Rejected, SeawallError, SegmentError

__all__ = ["ConfigError", "RateLimited", "Rejected", "SeawallError", "SegmentError"]
