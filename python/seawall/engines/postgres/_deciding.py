"""Limits decided by the server, as SQL; `{s}` is the quoted schema.

The same steps as seawall.engines._ports._algorithms. A rule is nine words: kind, amount, period, limit, cost, longest
wait, least, returned, returned at. Products are numeric: states of other parameters may be beyond 64 bits.
"""

from __future__ import annotations

_BUCKETS = """
CREATE FUNCTION {s}.limit_short(r bigint[], state bigint[], at bigint) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE short numeric;
BEGIN
    IF state IS NULL THEN RETURN 0; END IF;
    short := state[2];
    IF state[4] <> r[3] THEN short := div(short + state[4] - 1, state[4]) * r[3]; END IF;
    RETURN greatest(0, short - greatest(0, at - state[3])::numeric * r[2]);
END $$;
"""

_WINDOWS = """
CREATE FUNCTION {s}.limit_counts(
    r bigint[], state bigint[], at bigint, OUT current bigint, OUT counted bigint, OUT previous bigint
) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE ends bigint;
BEGIN
    current := at / r[3]; counted := 0; previous := 0;
    IF state IS NULL THEN
        RETURN;
    ELSIF state[5] <> r[3] THEN
        ends := (state[2] + 1) * state[5];
        IF at < ends THEN counted := state[3] + CASE WHEN r[1] = 3 THEN state[4] ELSE 0 END;
        ELSIF r[1] = 3 AND at < ends + state[5] THEN counted := state[3]; END IF;
    ELSIF state[2] >= current THEN
        counted := state[3]; previous := state[4];
    ELSIF state[2] = current - 1 THEN
        previous := state[3];
    END IF;
END $$;
CREATE FUNCTION {s}.limit_fits_at(r bigint[], current bigint, counted bigint, previous bigint, at bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    seen numeric := CASE WHEN r[1] = 3 THEN previous ELSE 0 END;
    room numeric; ends bigint; later bigint;
BEGIN
    LOOP
        room := r[4]::numeric - counted - r[5];
        ends := (current + 1) * r[3];
        IF room >= 0 AND seen * (ends - at) <= room * r[3] THEN RETURN at; END IF;
        IF room >= 0 THEN
            later := ends - div(room * r[3], seen);
            IF later < ends THEN RETURN later; END IF;
        END IF;
        seen := CASE WHEN r[1] = 3 THEN counted ELSE 0 END;
        counted := 0; current := current + 1; at := ends;
    END LOOP;
END $$;
"""

# Times never fall along a log, so what has left the window is at its beginning.
_LOG = """
CREATE FUNCTION {s}.limit_active(r bigint[], state bigint[], at bigint) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE size int := coalesce(cardinality(state), 0); first int := 2; kept bigint[];
BEGIN
    WHILE first < size AND least(state[first], at) + r[3] <= at LOOP first := first + 2; END LOOP;
    kept := ARRAY[4]::bigint[] || coalesce(state[first:size], ARRAY[]::bigint[]);
    IF cardinality(kept) > 1 AND kept[cardinality(kept) - 1] > at THEN
        FOR place IN 2..cardinality(kept) BY 2 LOOP kept[place] := least(kept[place], at); END LOOP;
    END IF;
    RETURN kept;
END $$;
CREATE FUNCTION {s}.limit_used(kept bigint[]) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(sum(word), 0)::bigint FROM unnest(kept) WITH ORDINALITY AS w (word, place)
    WHERE place > 1 AND place % 2 = 1
$$;
"""

_DECIDE = """
CREATE FUNCTION {s}.limit_newest(state bigint[]) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN state[1] < 2 THEN state[3] WHEN state[1] < 4 THEN state[2] * state[5]
    ELSE coalesce(state[cardinality(state) - 1], 0) END
$$;
CREATE FUNCTION {s}.limit_describe(r bigint[], state bigint[], at bigint, OUT remaining bigint, OUT reset bigint)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE short numeric; c record; ends bigint; kept bigint[];
BEGIN
    IF r[1] < 2 THEN
        short := {s}.limit_short(r, state, at);
        remaining := greatest(0, r[4] - div(short + r[3] - 1, r[3]));
        reset := div(short + r[2] - 1, r[2]);
    ELSIF r[1] < 4 THEN
        c := {s}.limit_counts(r, state, at);
        ends := (c.current + 1) * r[3];
        IF r[1] = 2 THEN
            remaining := greatest(0, r[4] - c.counted);
            reset := CASE WHEN c.counted > 0 THEN ends - at ELSE 0 END;
        ELSE
            remaining := greatest(0, r[4] - c.counted - div(c.previous::numeric * (ends - at) + r[3] - 1, r[3]));
            reset := CASE WHEN c.counted > 0 THEN ends + r[3] - at WHEN c.previous > 0 THEN ends - at ELSE 0 END;
        END IF;
    ELSE
        kept := {s}.limit_active(r, state, at);
        remaining := greatest(0, r[4] - {s}.limit_used(kept));
        reset := CASE WHEN cardinality(kept) > 1 THEN kept[cardinality(kept) - 1] + r[3] - at ELSE 0 END;
    END IF;
END $$;
CREATE FUNCTION {s}.limit_without(r bigint[], state bigint[], at bigint) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE short numeric; c record; kept bigint[]; left_over bigint[] := ARRAY[4]; cost bigint;
BEGIN
    IF r[1] < 2 THEN
        short := {s}.limit_short(r, state, at);
        IF short <= r[4]::numeric * r[3] THEN
            short := greatest(0, short - greatest(0, r[8]::numeric * r[3] - greatest(0, at - r[9])::numeric * r[2]));
        END IF;
        RETURN ARRAY[r[1], short::bigint, at, r[3]];
    ELSIF r[1] < 4 THEN
        c := {s}.limit_counts(r, state, at);
        IF r[9] / r[3] = c.current THEN c.counted := greatest(0, c.counted - r[8]);
        ELSIF r[9] / r[3] = c.current - 1 THEN c.previous := greatest(0, c.previous - r[8]); END IF;
        RETURN ARRAY[r[1], c.current, c.counted, c.previous, r[3]];
    END IF;
    kept := {s}.limit_active(r, state, at);
    FOR place IN 2..cardinality(kept) BY 2 LOOP
        cost := kept[place + 1] - CASE WHEN kept[place] = r[9] THEN r[8] ELSE 0 END;
        IF cost > 0 THEN left_over := left_over || ARRAY[kept[place], cost]; END IF;
    END LOOP;
    RETURN left_over;
END $$;
CREATE FUNCTION {s}.limit_judge(
    r bigint[], state bigint[], at bigint, OUT before bigint[], OUT after bigint[], OUT wait bigint, OUT retry bigint
) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE short numeric; until_room bigint; c record; over bigint; size int;
BEGIN
    wait := 0;
    IF r[1] < 2 THEN
        short := {s}.limit_short(r, state, at);
        before := ARRAY[r[1], short::bigint, at, r[3]];
        after := ARRAY[r[1], (short + r[5]::numeric * r[3])::bigint, at, r[3]];
        until_room := div(greatest(0, short + (r[5] - r[4])::numeric * r[3]) + r[2] - 1, r[2]);
        wait := CASE WHEN r[1] = 1 THEN div(short + r[2] - 1, r[2]) ELSE until_room END;
        retry := greatest(0, wait - r[6], CASE WHEN r[1] = 1 THEN until_room ELSE 0 END);
    ELSIF r[1] < 4 THEN
        c := {s}.limit_counts(r, state, at);
        before := ARRAY[r[1], c.current, c.counted, c.previous, r[3]];
        after := ARRAY[r[1], c.current, c.counted + r[5], c.previous, r[3]];
        retry := {s}.limit_fits_at(r, c.current, c.counted, c.previous, at) - at;
    ELSE
        before := {s}.limit_active(r, state, at);
        size := cardinality(before);
        over := {s}.limit_used(before) + r[5] - r[4];
        retry := 0;
        FOR place IN 2..size BY 2 LOOP
            EXIT WHEN over <= 0;
            over := over - before[place + 1];
            retry := before[place] + r[3] - at;
        END LOOP;
        after := before;
        IF size > 1 AND after[size - 1] = at THEN after[size] := after[size] + r[5];
        ELSE after := after || ARRAY[at, r[5]]; END IF;
    END IF;
    IF r[5] = 0 THEN after := before; wait := 0; retry := 0; END IF;
END $$;
"""

# Keys are locked in one order whatever the order of the rules, so that two callers cannot wait for each other. The time
# comes after the locks. Two rows are swept for each that may be new: the table does not outgrow what is in use.
_UPDATE = """
CREATE FUNCTION {s}.limits_update(
    ns text, names text[], words bigint[], consume boolean, at bigint DEFAULT NULL
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    name text; r bigint[]; state bigint[]; judged record; said record; chosen bigint[];
    rules text[]; befores text[]; afters text[]; waits bigint[]; retries bigint[];
    admitted boolean := true; store boolean := false; reply bigint[];
BEGIN
    IF consume THEN
        FOR name IN SELECT DISTINCT n COLLATE "C" FROM unnest(names) AS n ORDER BY 1 LOOP
            PERFORM {s}.lock_text('limit/' || ns || '/' || name);
        END LOOP;
    END IF;
    at := coalesce(at, {s}.now_us());
    FOR i IN 1..cardinality(names) LOOP
        r := words[9 * i - 8 : 9 * i];
        SELECT l.state INTO state FROM {s}.limits AS l WHERE l.namespace = ns AND l.key = names[i];
        IF state[1] <> r[1] THEN state := NULL; END IF;
        -- The clock has gone back: what is stored must begin to age now, or it never would.
        store := store OR r[8] > 0 OR coalesce({s}.limit_newest(state) > at, false);
        IF r[8] > 0 AND state IS NOT NULL THEN state := {s}.limit_without(r, state, at); END IF;
        IF r[7] > 0 THEN
            said := {s}.limit_describe(r, state, at);
            r[5] := least(r[5], greatest(r[7], said.remaining));
        END IF;
        judged := {s}.limit_judge(r, state, at);
        rules[i] := r::text; befores[i] := judged.before::text; afters[i] := judged.after::text;
        waits[i] := judged.wait; retries[i] := judged.retry;
        admitted := admitted AND judged.retry = 0;
    END LOOP;
    admitted := admitted AND consume;
    store := admitted OR (store AND consume);
    reply := ARRAY[at];
    FOR i IN 1..cardinality(names) LOOP
        r := rules[i]::bigint[];
        chosen := (CASE WHEN admitted THEN afters[i] ELSE befores[i] END)::bigint[];
        said := {s}.limit_describe(r, chosen, at);
        IF store THEN
            INSERT INTO {s}.limits VALUES (ns, names[i], chosen, at + said.reset) ON CONFLICT (namespace, key)
            DO UPDATE SET state = excluded.state, ends_us = excluded.ends_us;
        END IF;
        reply := reply || ARRAY[
            CASE WHEN retries[i] = 0 THEN waits[i] ELSE 0 END, said.remaining, retries[i], said.reset,
            CASE WHEN admitted THEN r[5] ELSE 0 END];
    END LOOP;
    IF store THEN
        DELETE FROM {s}.limits AS l WHERE l.ctid = ANY (ARRAY(
            SELECT old.ctid FROM {s}.limits AS old WHERE old.namespace = ns AND old.ends_us <= at
            LIMIT 2 FOR UPDATE SKIP LOCKED));
    END IF;
    RETURN reply;
END $$;
"""

DECIDING = (_BUCKETS, _WINDOWS, _LOG, _DECIDE, _UPDATE)
