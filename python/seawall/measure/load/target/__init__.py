"""What a load test calls: requests over HTTP and gRPC, callables, and scenarios of them with data."""

from seawall.measure.load.target._feed import Feed
from seawall.measure.load.target._grpc import GrpcCall
from seawall.measure.load.target._request import Request
from seawall.measure.load.target._scenario import Scenario

__all__ = ["Feed", "GrpcCall", "Request", "Scenario"]
