"""Errors of libraries, by top package and class name: nothing here is imported.

A class that carries an HTTP or gRPC status needs no line: the status is asked before Python's own classes.
"""

from __future__ import annotations

from typing import Any

from seawall.errors._classification import Advice, Classification, Kind, Severity, classification
from seawall.errors._statuses import status_of

_BY_KIND: dict[Kind, str] = {
    Kind.transient: """
        httpx.TransportError httpx.DecodingError httpcore.NetworkError httpcore.ProtocolError
        requests.ConnectionError requests.ChunkedEncodingError requests.ContentDecodingError requests.JSONDecodeError
        urllib3.ProtocolError urllib3.HTTPError
        aiohttp.ClientConnectionError aiohttp.ClientPayloadError
        redis.ConnectionError redis.BusyLoadingError redis.TryAgainError redis.ClusterError
        psycopg.OperationalError psycopg.SerializationFailure psycopg.DeadlockDetected
        sqlalchemy.OperationalError sqlalchemy.InterfaceError sqlalchemy.DBAPIError
        botocore.HTTPClientError botocore.IncompleteReadError
    """,
    Kind.unavailable: """
        httpx.ConnectError httpx.PoolTimeout httpx.ProxyError
        urllib3.NewConnectionError urllib3.MaxRetryError requests.ProxyError requests.RetryError
        aiohttp.ClientConnectorError
        redis.ClusterDownError redis.MasterDownError redis.MaxConnectionsError redis.OutOfMemoryError
        psycopg.TooManyConnections psycopg.CannotConnectNow psycopg.AdminShutdown psycopg.CrashShutdown
        psycopg_pool.PoolTimeout psycopg_pool.TooManyRequests
        sqlalchemy.TimeoutError botocore.EndpointConnectionError botocore.ProxyConnectionError
    """,
    Kind.timeout: """
        httpx.TimeoutException httpcore.TimeoutException requests.Timeout urllib3.TimeoutError
        aiohttp.ServerTimeoutError redis.TimeoutError psycopg.QueryCanceled psycopg.LockNotAvailable
        psycopg.ConnectionTimeout botocore.ReadTimeoutError botocore.ConnectTimeoutError
    """,
    Kind.invalid: """
        httpx.InvalidURL httpx.UnsupportedProtocol httpx.TooManyRedirects
        requests.InvalidURL requests.MissingSchema requests.InvalidSchema requests.TooManyRedirects
        urllib3.LocationParseError aiohttp.InvalidURL aiohttp.TooManyRedirects
        redis.ResponseError redis.DataError
        psycopg.IntegrityError psycopg.DataError sqlalchemy.IntegrityError sqlalchemy.DataError
        sqlalchemy.NoResultFound sqlalchemy.MultipleResultsFound
        botocore.ParamValidationError botocore.InvalidRegionError
    """,
    Kind.denied: """
        redis.AuthenticationError redis.AuthorizationError redis.NoPermissionError redis.ReadOnlyError
        psycopg.InsufficientPrivilege psycopg.InvalidPassword psycopg.InvalidAuthorizationSpecification
        botocore.NoCredentialsError botocore.PartialCredentialsError botocore.CredentialRetrievalError
        botocore.TokenRetrievalError botocore.UnauthorizedSSOTokenError
    """,
    Kind.bug: """
        httpx.StreamError psycopg.ProgrammingError psycopg.NotSupportedError psycopg.InterfaceError
        sqlalchemy.ProgrammingError sqlalchemy.InvalidRequestError sqlalchemy.ArgumentError
        sqlalchemy.CompileError
        redis.PubSubError redis.InvalidPipelineStack
    """,
}
_THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "RequestThrottled",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "SlowDown",
    "PriorRequestNotComplete",
    "TransactionInProgressException",
    "EC2ThrottledException",
}
_UNTRUSTED = classification(Kind.unavailable, advice=Advice.escalate)


def by_aws(error: Any) -> Classification | None:
    """What an AWS error means: throttling has many codes, most under status 400.

    Source: botocore, standard retry mode.
    """
    response = getattr(error, "response", None)
    details = response.get("Error") if isinstance(response, dict) else None
    code = details.get("Code") if isinstance(details, dict) else None
    if code in _THROTTLED:
        return classification(Kind.rate_limited)
    if code in ("RequestTimeout", "RequestTimeoutException"):
        return classification(Kind.timeout)
    return status_of(error)


def _always(found: Classification) -> Any:
    return (lambda _: found,)


LIBRARIES: dict[type | str, Any] = {
    **{name: _always(classification(kind)) for kind, names in _BY_KIND.items() for name in names.split()},
    "botocore.ClientError": (by_aws,),
    "requests.SSLError": _always(_UNTRUSTED),
    "urllib3.SSLError": _always(_UNTRUSTED),
    "aiohttp.ClientConnectorCertificateError": _always(_UNTRUSTED),
    "psycopg.DiskFull": _always(classification(Kind.unavailable, Severity.critical, Advice.escalate)),
}
