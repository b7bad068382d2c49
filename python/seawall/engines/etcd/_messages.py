"""The messages of etcd's interface, as far as they are used here.

They are described here and not taken from a package of generated ones: those register themselves for the whole process
under the names of etcd's files, and two such packages in one process are an error. These have a pool of their own.

Source: etcd API 3.4 and later, the numbers of fields in api/etcdserverpb/rpc.proto, mvccpb/kv.proto.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "seawall.etcd"
_FIELDS = {
    "Header": "int64 revision 3",
    "KeyValue": "bytes key 1, int64 create_revision 2, int64 mod_revision 3, bytes value 5, int64 lease 6",
    "Range": "bytes key 1, bytes range_end 2, int64 limit 3, int64 revision 4, int32 sort_order 5, int32 sort_target 6,"
    "bool keys_only 8, bool count_only 9",
    "Ranged": "Header header 1, KeyValue* kvs 2, bool more 3, int64 count 4",
    "Put": "bytes key 1, bytes value 2, int64 lease 3",
    "Delete": "bytes key 1, bytes range_end 2",
    "Deleted": "Header header 1, int64 deleted 2",
    # Of a oneof only the one that is meant is set here, so it need not be declared as one.
    "Op": "Range range 1, Put put 2, Delete delete 3, Txn txn 4",
    "Done": "Ranged ranged 1, Deleted deleted 3, TxnDone txn 4",
    "Compare": "int32 result 1, int32 target 2, bytes key 3, int64 create_revision 5, int64 mod_revision 6",
    "Txn": "Compare* compare 1, Op* success 2, Op* failure 3",
    "TxnDone": "Header header 1, bool succeeded 2, Done* responses 3",
    "Grant": "int64 ttl 1, int64 id 2",
    "Granted": "Header header 1, int64 id 2, int64 ttl 3",
    "Revoke": "int64 id 1",
    "Revoked": "Header header 1",
    "KeepAlive": "int64 id 1",
    "KeptAlive": "Header header 1, int64 id 2, int64 ttl 3",
    "Create": "bytes key 1, bytes range_end 2, int64 start_revision 3",
    "Progress": "",
    "Follow": "Create create 1, Progress progress 3",
    "Event": "int32 type 1, KeyValue kv 2",
    "Followed": "Header header 1, bool created 3, bool canceled 4, int64 compact_revision 5, string cancel_reason 6,"
    "Event* events 11",
    "Authenticate": "string name 1, string password 2",
    "Authenticated": "string token 2",
    "AskStatus": "",
    "Status": "Header header 1, string version 2, int64 db_size 3, uint64 leader 4, int64 db_size_in_use 9, "
    "bool is_learner 10, int64 db_size_quota 12",
    "AskAlarms": "int32 action 1, uint64 member 2, int32 alarm 3",
    "Alarm": "uint64 member 1, int32 alarm 2",
    "Alarms": "Header header 1, Alarm* alarms 2",
    "AskMembers": "",
    "Member": "uint64 id 1, string name 2, bool is_learner 5",
    "Members": "Header header 1, Member* members 2",
}
_KINDS = {"int64": 3, "uint64": 4, "int32": 5, "bool": 8, "string": 9, "message": 11, "bytes": 12}
_OPTIONAL, _REPEATED = 1, 3


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="seawall/etcd.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for kind, field, number in (each.split() for each in fields.split(",") if each.strip()):
            plain = kind.removesuffix("*")
            described = message.field.add(name=field, number=int(number))
            described.label = _REPEATED if kind.endswith("*") else _OPTIONAL
            described.type = _KINDS.get(plain, _KINDS["message"])
            if plain not in _KINDS:
                described.type_name = f".{_PACKAGE}.{plain}"
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_file())


def _kind(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


Range, Ranged, Put, Op, Compare = map(_kind, ("Range", "Ranged", "Put", "Op", "Compare"))
Delete, Deleted = map(_kind, ("Delete", "Deleted"))
Txn, TxnDone, Grant, Granted, Revoke, Revoked = map(_kind, ("Txn", "TxnDone", "Grant", "Granted", "Revoke", "Revoked"))
KeepAlive, KeptAlive, Create, Progress = map(_kind, ("KeepAlive", "KeptAlive", "Create", "Progress"))
Follow, Followed, Event = map(_kind, ("Follow", "Followed", "Event"))
Authenticate, Authenticated = map(_kind, ("Authenticate", "Authenticated"))
AskStatus, Status, AskAlarms, Alarms = map(_kind, ("AskStatus", "Status", "AskAlarms", "Alarms"))
AskMembers, Members = map(_kind, ("AskMembers", "Members"))

PUT, DELETE = 0, 1
EQUAL, CREATED, MODIFIED = 0, 1, 2
DESCENDING, BY_KEY = 2, 0
NO_SPACE, CORRUPT = 1, 2
