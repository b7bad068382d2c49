"""The engine on an etcd cluster: transactions of its own, its leases, its revisions, its watch streams."""

from seawall.engines.etcd._engine import EtcdEngine
from seawall.engines.etcd._options import EtcdOptions

__all__ = ["EtcdEngine", "EtcdOptions"]
