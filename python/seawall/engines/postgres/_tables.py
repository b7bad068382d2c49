"""Tables and functions, as SQL; `{s}` is the quoted schema.

Everything that decides is a function of the server, so that an operation is one message: no lock is held over a round
trip, and nothing stays half done when a client dies. Times are whole microseconds of the server's clock. Texts are in
the collation "C": their order is that of code points.
"""

from __future__ import annotations

_TABLES = """
CREATE TABLE {s}.namespaces (
    namespace text COLLATE "C" PRIMARY KEY, revision bigint NOT NULL DEFAULT 0, told_from bigint NOT NULL DEFAULT 0);
CREATE TABLE {s}.entries (
    namespace text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, value bytea NOT NULL,
    revision bigint NOT NULL, lease text COLLATE "C",
    PRIMARY KEY (namespace, key));
CREATE INDEX entries_by_lease ON {s}.entries (namespace, lease) WHERE lease IS NOT NULL;
CREATE TABLE {s}.history (
    namespace text COLLATE "C" NOT NULL, revision bigint NOT NULL, key text COLLATE "C" NOT NULL, value bytea,
    PRIMARY KEY (namespace, revision));
CREATE TABLE {s}.leases (
    namespace text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, ttl_us bigint NOT NULL, ends_us bigint NOT NULL,
    PRIMARY KEY (namespace, id));
CREATE INDEX leases_by_end ON {s}.leases (namespace, ends_us);
CREATE TABLE {s}.records (
    namespace text COLLATE "C" NOT NULL, stream text COLLATE "C" NOT NULL, position bigint NOT NULL,
    data bytea NOT NULL, token bigint NOT NULL DEFAULT 0, attempt integer NOT NULL DEFAULT 0,
    held boolean NOT NULL DEFAULT false, ends_us bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (namespace, stream, position));
CREATE TABLE {s}.claims (
    namespace text COLLATE "C" NOT NULL, stream text COLLATE "C" NOT NULL, token bigint NOT NULL,
    ends_us bigint NOT NULL,
    PRIMARY KEY (namespace, stream));
CREATE INDEX claims_by_end ON {s}.claims (namespace, ends_us);
CREATE TABLE {s}.seen (
    namespace text COLLATE "C" NOT NULL, inbox text COLLATE "C" NOT NULL, message text COLLATE "C" NOT NULL,
    ends_us bigint NOT NULL,
    PRIMARY KEY (namespace, inbox, message));
CREATE INDEX seen_by_end ON {s}.seen (namespace, ends_us);
CREATE TABLE {s}.limits (
    namespace text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, state bigint[] NOT NULL,
    ends_us bigint NOT NULL,
    PRIMARY KEY (namespace, key));
CREATE INDEX limits_by_end ON {s}.limits (namespace, ends_us);
CREATE SEQUENCE {s}.leases_granted;
CREATE SEQUENCE {s}.positions;
CREATE SEQUENCE {s}.tokens;
"""

_SHARED = """
CREATE FUNCTION {s}.now_us() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
$$;
CREATE FUNCTION {s}.lock_text(what text) RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('{s}/' || what, 0))
$$;
CREATE FUNCTION {s}.ring(ns text) RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT pg_notify('seawall_' || left(encode(sha256(convert_to('{s}/' || ns, 'UTF8')), 'hex'), 40), '')
$$;
"""

# The row of the namespace is locked before its revision is raised and until the commit: revisions are without gaps, in
# the order of commits, and nobody sees one before those below it.
_KEY_VALUE = """
CREATE FUNCTION {s}.kv_lock(ns text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM {s}.namespaces AS n WHERE n.namespace = ns FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO {s}.namespaces (namespace) VALUES (ns) ON CONFLICT DO NOTHING;
        PERFORM 1 FROM {s}.namespaces AS n WHERE n.namespace = ns FOR UPDATE;
    END IF;
END $$;
CREATE FUNCTION {s}.kv_record(ns text, k text, v bytea, most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE r bigint; oldest bigint;
BEGIN
    UPDATE {s}.namespaces AS n
    SET revision = n.revision + 1, told_from = greatest(n.told_from, n.revision + 1 - most)
    WHERE n.namespace = ns RETURNING n.revision, n.told_from INTO r, oldest;
    INSERT INTO {s}.history VALUES (ns, r, k, v);
    DELETE FROM {s}.history AS h WHERE h.namespace = ns AND h.revision <= oldest;
    PERFORM {s}.ring(ns);
    RETURN r;
END $$;
CREATE FUNCTION {s}.kv_end(ns text, ended text, most bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE k text;
BEGIN
    FOR k IN SELECT e.key FROM {s}.entries AS e WHERE e.namespace = ns AND e.lease = ended ORDER BY e.key LOOP
        DELETE FROM {s}.entries AS e WHERE e.namespace = ns AND e.key = k;
        PERFORM {s}.kv_record(ns, k, NULL, most);
    END LOOP;
    DELETE FROM {s}.leases AS l WHERE l.namespace = ns AND l.id = ended;
    RETURN FOUND;
END $$;
CREATE FUNCTION {s}.kv_sweep(ns text, most bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE ended text; at bigint;
BEGIN
    PERFORM {s}.kv_lock(ns);
    at := {s}.now_us();
    FOR ended IN SELECT l.id FROM {s}.leases AS l WHERE l.namespace = ns AND l.ends_us <= at
        ORDER BY l.ends_us, l.id FOR UPDATE
    LOOP
        PERFORM {s}.kv_end(ns, ended, most);
    END LOOP;
END $$;
CREATE FUNCTION {s}.kv_put(
    ns text, k text, v bytea, bound text, expected bigint, most bigint,
    OUT done boolean, OUT at_revision bigint, OUT lost boolean
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM {s}.kv_sweep(ns, most);
    done := false; at_revision := 0; lost := false;
    IF bound IS NOT NULL THEN
        PERFORM 1 FROM {s}.leases AS l WHERE l.namespace = ns AND l.id = bound;
        IF NOT FOUND THEN lost := true; RETURN; END IF;
    END IF;
    IF expected IS NOT NULL THEN
        SELECT e.revision INTO at_revision FROM {s}.entries AS e WHERE e.namespace = ns AND e.key = k;
        at_revision := coalesce(at_revision, 0);
        IF at_revision <> expected THEN RETURN; END IF;
    END IF;
    at_revision := {s}.kv_record(ns, k, v, most);
    INSERT INTO {s}.entries VALUES (ns, k, v, at_revision, bound) ON CONFLICT (namespace, key)
    DO UPDATE SET value = excluded.value, revision = excluded.revision, lease = excluded.lease;
    done := true;
END $$;
CREATE FUNCTION {s}.kv_delete(
    ns text, k text, expected bigint, most bigint, OUT done boolean, OUT at_revision bigint
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM {s}.kv_sweep(ns, most);
    done := false;
    SELECT e.revision INTO at_revision FROM {s}.entries AS e WHERE e.namespace = ns AND e.key = k;
    at_revision := coalesce(at_revision, 0);
    IF at_revision = 0 OR at_revision <> expected THEN RETURN; END IF;
    DELETE FROM {s}.entries AS e WHERE e.namespace = ns AND e.key = k;
    at_revision := {s}.kv_record(ns, k, NULL, most);
    done := true;
END $$;
CREATE FUNCTION {s}.kv_grant(ns text, lasts_us bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE granted text := nextval('{s}.leases_granted')::text;
BEGIN
    INSERT INTO {s}.leases VALUES (ns, granted, lasts_us, {s}.now_us() + lasts_us);
    PERFORM {s}.ring(ns);
    RETURN granted;
END $$;
CREATE FUNCTION {s}.kv_keep_alive(ns text, kept text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE lasts_us bigint;
BEGIN
    -- The lock first, and then the time: a wait for the row must not revive what ended meanwhile.
    PERFORM 1 FROM {s}.leases AS l WHERE l.namespace = ns AND l.id = kept FOR UPDATE;
    UPDATE {s}.leases AS l SET ends_us = {s}.now_us() + l.ttl_us
    WHERE l.namespace = ns AND l.id = kept AND l.ends_us > (SELECT {s}.now_us()) RETURNING l.ttl_us INTO lasts_us;
    RETURN lasts_us;
END $$;
CREATE FUNCTION {s}.kv_revoke(ns text, ended text, most bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM {s}.kv_sweep(ns, most);
    RETURN {s}.kv_end(ns, ended, most);
END $$;
"""

# All that changes who may write to a stream, or its last position, holds the lock of the stream until its commit. So
# positions are in the order of commits, and a claim that was current when it was checked is so until the commit.
_JOURNAL = """
CREATE FUNCTION {s}.stream_lock(ns text, name text) RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT {s}.lock_text('stream/' || ns || '/' || name)
$$;
CREATE FUNCTION {s}.append(
    ns text, name text, items bytea[], expected bigint DEFAULT NULL, claimed bigint DEFAULT NULL,
    OUT state text, OUT at_position bigint
) LANGUAGE plpgsql AS $$
DECLARE item bytea;
BEGIN
    PERFORM {s}.stream_lock(ns, name);
    IF claimed IS NOT NULL THEN
        PERFORM 1 FROM {s}.claims AS c
        WHERE c.namespace = ns AND c.stream = name AND c.token = claimed AND c.ends_us > (SELECT {s}.now_us());
        IF NOT FOUND THEN state := 'lost'; RETURN; END IF;
    END IF;
    IF expected IS NOT NULL THEN
        SELECT coalesce(max(r.position), 0) INTO at_position FROM {s}.records AS r
        WHERE r.namespace = ns AND r.stream = name;
        IF at_position <> expected THEN state := 'conflict'; RETURN; END IF;
    END IF;
    FOREACH item IN ARRAY items LOOP
        at_position := nextval('{s}.positions');
        INSERT INTO {s}.records (namespace, stream, position, data) VALUES (ns, name, at_position, item);
    END LOOP;
    state := 'done';
END $$;
CREATE FUNCTION {s}.claim(ns text, name text, lasts_us bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE at bigint; minted bigint;
BEGIN
    PERFORM {s}.stream_lock(ns, name);
    at := {s}.now_us();
    DELETE FROM {s}.claims AS c WHERE c.namespace = ns AND c.stream = name AND c.ends_us <= at;
    PERFORM 1 FROM {s}.claims AS c WHERE c.namespace = ns AND c.stream = name;
    IF FOUND THEN RETURN NULL; END IF;
    minted := nextval('{s}.tokens');
    INSERT INTO {s}.claims VALUES (ns, name, minted, at + lasts_us);
    RETURN minted;
END $$;
CREATE FUNCTION {s}.renew(ns text, name text, held_token bigint, lasts_us bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE at bigint;
BEGIN
    PERFORM {s}.stream_lock(ns, name);
    at := {s}.now_us();
    UPDATE {s}.claims AS c SET ends_us = at + lasts_us
    WHERE c.namespace = ns AND c.stream = name AND c.token = held_token AND c.ends_us > at;
    RETURN FOUND;
END $$;
CREATE FUNCTION {s}.release(ns text, name text, held_token bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE at bigint;
BEGIN
    PERFORM {s}.stream_lock(ns, name);
    at := {s}.now_us();
    DELETE FROM {s}.claims AS c
    WHERE c.namespace = ns AND c.stream = name AND c.token = held_token AND c.ends_us > at;
    RETURN FOUND;
END $$;
CREATE FUNCTION {s}.take(ns text, name text, lasts_us bigint, most bigint)
RETURNS TABLE (at_position bigint, item bytea, minted bigint, tries integer) LANGUAGE plpgsql AS $$
DECLARE at bigint := {s}.now_us();
BEGIN
    RETURN QUERY
    WITH free AS MATERIALIZED (
        SELECT r.position FROM {s}.records AS r
        WHERE r.namespace = ns AND r.stream = name AND r.ends_us <= at
        ORDER BY r.position LIMIT most FOR UPDATE SKIP LOCKED)
    UPDATE {s}.records AS r
    SET token = nextval('{s}.tokens'), attempt = r.attempt + 1, held = true, ends_us = at + lasts_us
    FROM free WHERE r.namespace = ns AND r.stream = name AND r.position = free.position
    RETURNING r.position, r.data, r.token, r.attempt;
END $$;
CREATE FUNCTION {s}.acknowledge(ns text, name text, at_position bigint, held_token bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM {s}.records AS r
    WHERE r.namespace = ns AND r.stream = name AND r.position = at_position FOR UPDATE;
    DELETE FROM {s}.records AS r
    WHERE r.namespace = ns AND r.stream = name AND r.position = at_position AND r.token = held_token AND r.held
    AND r.ends_us > (SELECT {s}.now_us());
    RETURN FOUND;
END $$;
CREATE FUNCTION {s}.give_back(ns text, name text, at_position bigint, held_token bigint, delay_us bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE at bigint;
BEGIN
    PERFORM 1 FROM {s}.records AS r
    WHERE r.namespace = ns AND r.stream = name AND r.position = at_position FOR UPDATE;
    at := {s}.now_us();
    UPDATE {s}.records AS r SET held = false, ends_us = at + delay_us
    WHERE r.namespace = ns AND r.stream = name AND r.position = at_position AND r.token = held_token AND r.held
    AND r.ends_us > at;
    RETURN FOUND;
END $$;
CREATE FUNCTION {s}.first_time(ns text, box text, said text, lasts_us bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {s}.seen AS s VALUES (ns, box, said, {s}.now_us() + lasts_us)
    ON CONFLICT (namespace, inbox, message)
    DO UPDATE SET ends_us = excluded.ends_us WHERE s.ends_us <= {s}.now_us();
    RETURN FOUND;
END $$;
CREATE FUNCTION {s}.forget(ns text, box text, said text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE until_us bigint;
BEGIN
    DELETE FROM {s}.seen AS s WHERE s.namespace = ns AND s.inbox = box AND s.message = said
    RETURNING s.ends_us INTO until_us;
    RETURN coalesce(until_us > {s}.now_us(), false);
END $$;
"""

# Two streams are locked in one order whichever becomes which.
_CLOSING = """
CREATE FUNCTION {s}.claim_and_append(
    ns text, name text, lasts_us bigint, items bytea[], expected bigint, other text,
    OUT state text, OUT minted bigint, OUT at_position bigint
) LANGUAGE plpgsql AS $$
BEGIN
    minted := {s}.claim(ns, name, lasts_us);
    IF minted IS NULL THEN state := 'claimed'; RETURN; END IF;
    SELECT max(r.position) INTO at_position FROM {s}.records AS r WHERE r.namespace = ns AND r.stream = other;
    IF at_position IS NOT NULL THEN
        state := 'other';
    ELSE
        SELECT a.state, a.at_position INTO state, at_position FROM {s}.append(ns, name, items, expected) AS a;
    END IF;
    IF state <> 'done' THEN
        DELETE FROM {s}.claims AS c WHERE c.namespace = ns AND c.stream = name AND c.token = minted;
    END IF;
END $$;
CREATE FUNCTION {s}.conclude(
    ns text, name text, held_token bigint, items bytea[], other text, OUT state text, OUT at_position bigint
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM {s}.stream_lock(ns, least(name, coalesce(other, name)));
    PERFORM {s}.stream_lock(ns, greatest(name, coalesce(other, name)));
    SELECT max(r.position) INTO at_position FROM {s}.records AS r WHERE r.namespace = ns AND r.stream = other;
    PERFORM 1 FROM {s}.claims AS c
    WHERE c.namespace = ns AND c.stream = name AND c.token = held_token AND c.ends_us > (SELECT {s}.now_us());
    IF NOT FOUND THEN state := 'lost'; RETURN; END IF;
    IF at_position IS NOT NULL THEN state := 'conflict'; RETURN; END IF;
    PERFORM {s}.append(ns, name, items);
    IF other IS NOT NULL THEN
        UPDATE {s}.records AS r SET stream = other WHERE r.namespace = ns AND r.stream = name;
    END IF;
    DELETE FROM {s}.claims AS c WHERE c.namespace = ns AND c.stream = name AND c.token = held_token;
    state := 'done';
END $$;
"""

# Keys are locked in one order whatever the order of the rules, so that two callers cannot wait for each other.
_METER = """
CREATE FUNCTION {s}.limits_held(ns text, names text[])
RETURNS TABLE (at_us bigint, states jsonb) LANGUAGE plpgsql AS $$
DECLARE name text;
BEGIN
    FOR name IN SELECT DISTINCT n COLLATE "C" FROM unnest(names) AS n ORDER BY 1 LOOP
        PERFORM {s}.lock_text('limit/' || ns || '/' || name);
    END LOOP;
    RETURN QUERY SELECT {s}.now_us(), (
        SELECT coalesce(jsonb_object_agg(l.key, to_jsonb(l.state)), '{{}}'::jsonb) FROM {s}.limits AS l
        WHERE l.namespace = ns AND l.key = ANY (names));
END $$;
"""

_ENLIST = """
CREATE FUNCTION {s}.kv_enlist(
    ns text, k text, v bytea, lasts_us bigint, behind text, room bigint, most bigint,
    OUT state text, OUT at_revision bigint, OUT granted text, OUT ahead bigint
) LANGUAGE plpgsql AS $$
DECLARE there bytea;
BEGIN
    PERFORM {s}.kv_sweep(ns, most);
    SELECT e.value, e.revision, e.lease INTO there, at_revision, granted FROM {s}.entries AS e
    WHERE e.namespace = ns AND e.key = k;
    SELECT count(*) INTO ahead FROM {s}.entries AS e
    WHERE e.namespace = ns AND e.key >= behind AND e.key < behind || chr(1114111)
    AND (at_revision IS NULL OR e.revision < at_revision);
    IF at_revision IS NOT NULL THEN
        state := CASE WHEN granted IS NULL OR there <> v THEN 'other' ELSE 'done' END;
        RETURN;
    END IF;
    IF ahead >= room THEN state := 'full'; RETURN; END IF;
    granted := {s}.kv_grant(ns, lasts_us);
    at_revision := {s}.kv_record(ns, k, v, most);
    INSERT INTO {s}.entries VALUES (ns, k, v, at_revision, granted);
    state := 'done';
END $$;
"""

MIGRATIONS = ((_TABLES, _SHARED, _KEY_VALUE, _JOURNAL, _METER), (_CLOSING,), (_ENLIST,))
VERSION = len(MIGRATIONS)


def migration(number: int, quoted: str) -> str:
    """The script that leads from version `number` to the next, for a schema."""
    return "".join(part.replace("{{}}", "{}").replace("{s}", quoted) for part in MIGRATIONS[number])
