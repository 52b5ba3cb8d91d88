-- Ordered group commit. One call takes a batch of append units and admits each whole or not at all.
-- Every `*_unit` array says, per row, to which unit (1..n) the row belongs.
-- Answers one status per unit: 0 done, 1 key known, 2 gate elsewhere, 3 version elsewhere, 4 claim taken, 5 holder's key elsewhere.
create or replace function append_batch(
    u_key text[], u_fingerprint bytea[], u_reply text[],
    s_unit int[], s_stream text[], s_expected int[],
    e_unit int[], e_stream text[], e_version int[], e_type text[], e_schema int[], e_holder text[], e_data text[], e_meta text[],
    p_unit int[], p_topic text[], p_key text[], p_event uuid[], p_attributes text[], p_value text[],
    c_unit int[], c_kind text[], c_value bytea[], c_holder text[],
    r_unit int[], r_kind text[], r_value bytea[], r_holder text[],
    t_unit int[], t_stream text[], t_name text[], t_due timestamptz[],
    g_unit int[], g_consumer text[], g_topic text[], g_key text[], g_sequence bigint[],
    k_unit int[], k_holder text[], k_wrapped bytea[],
    v_unit int[], v_view text[], v_row text[],
    at timestamptz
) returns int[] language plpgsql volatile as $$
declare
    status int[] := array_fill(0, array[coalesce(array_length(u_key, 1), 0)]);
    bad int;
    head log_head;
    stamp timestamptz;
    told bigint;
    link bytea;
    batch record;
begin
    -- Held for this statement and its commit. Each statement below sees everything committed before it.
    perform pg_advisory_xact_lock(4711);

    for bad in select k.unit from unnest(k_unit, k_holder, k_wrapped) as k(unit, holder, wrapped)
               where k.wrapped is not null
               and exists (select from keys where keys.holder = k.holder and keys.wrapped is distinct from k.wrapped) loop
        status[bad] := 5;
    end loop;
    for bad in select c.unit from unnest(c_unit, c_kind, c_value, c_holder) as c(unit, kind, value, holder)
               where exists (select from claims where claims.kind = c.kind and claims.value = c.value and claims.holder <> c.holder
                             -- unless the unit itself passes it on from one stream to the other
                             and not exists (select from unnest(r_unit, r_kind, r_value, r_holder) as r(unit, kind, value, holder)
                                             where r.unit = c.unit and r.kind = c.kind and r.value = c.value
                                             and r.holder = claims.holder)) loop
        status[bad] := 4;
    end loop;
    for bad in select s.unit from unnest(s_unit, s_stream, s_expected) as s(unit, stream, expected)
               where s.expected <> coalesce((select version from events where stream_id = s.stream order by version desc limit 1), 0) loop
        status[bad] := 3;
    end loop;
    for bad in select g.unit from unnest(g_unit, g_consumer, g_topic, g_key, g_sequence) as g(unit, consumer, topic, key, sequence)
               where g.sequence <> 1 + coalesce((select gates.sequence from gates where gates.consumer = g.consumer
                                                 and gates.topic = g.topic and gates.key = g.key), 0) loop
        status[bad] := 2;
    end loop;
    for bad in select u.unit from unnest(u_key) with ordinality as u(key, unit)
               where exists (select from commands where commands.key = u.key) loop
        status[bad] := 1;
    end loop;
    if not 0 = any(status) then
        return status;
    end if;

    select * into head from log_head;
    stamp := greatest(coalesce(at, clock_timestamp()), head.recorded_at);

    insert into commands (key, fingerprint, reply, recorded_at)
    select u.key, u.fingerprint, u.reply, stamp
    from unnest(u_key, u_fingerprint, u_reply) with ordinality as u(key, fingerprint, reply, unit)
    where status[u.unit] = 0 and u.key is not null;

    insert into keys (holder, wrapped)
    select k.holder, k.wrapped from unnest(k_unit, k_holder, k_wrapped) as k(unit, holder, wrapped)
    where status[k.unit] = 0 and k.wrapped is not null
    on conflict do nothing;

    -- A key that is destroyed stays destroyed: what it sealed can never be read again.
    insert into keys (holder, wrapped)
    select distinct k.holder, null::bytea from unnest(k_unit, k_holder, k_wrapped) as k(unit, holder, wrapped)
    where status[k.unit] = 0 and k.wrapped is null
    on conflict (holder) do update set wrapped = null;

    insert into events (stream_id, version, type, schema, holder, data, meta, recorded_at)
    select e.stream, e.version, e.type, e.schema, e.holder, e.data, e.meta, stamp
    from unnest(e_unit, e_stream, e_version, e_type, e_schema, e_holder, e_data, e_meta)
         as e(unit, stream, version, type, schema, holder, data, meta)
    where status[e.unit] = 0;

    delete from claims using unnest(r_unit, r_kind, r_value, r_holder) as r(unit, kind, value, holder)
    where status[r.unit] = 0 and claims.kind = r.kind and claims.value = r.value and claims.holder = r.holder;

    insert into claims (kind, value, holder)
    select c.kind, c.value, c.holder from unnest(c_unit, c_kind, c_value, c_holder) as c(unit, kind, value, holder)
    where status[c.unit] = 0
    on conflict (kind, value) do update set holder = excluded.holder;

    delete from timers using unnest(t_unit, t_stream, t_name, t_due) as t(unit, stream, name, due)
    where status[t.unit] = 0 and t.due is null and timers.stream_id = t.stream and timers.name = t.name;

    insert into timers (stream_id, name, due_at)
    select t.stream, t.name, t.due from unnest(t_unit, t_stream, t_name, t_due) as t(unit, stream, name, due)
    where status[t.unit] = 0 and t.due is not null
    on conflict (stream_id, name) do update set due_at = excluded.due_at;

    insert into gates (consumer, topic, key, sequence)
    select g.consumer, g.topic, g.key, g.sequence
    from unnest(g_unit, g_consumer, g_topic, g_key, g_sequence) as g(unit, consumer, topic, key, sequence)
    where status[g.unit] = 0
    on conflict (consumer, topic, key) do update set sequence = excluded.sequence;

    insert into published (position, topic, key, sequence, event_id, attributes, value, recorded_at)
    select head.position + row_number() over (order by p.ord), p.topic, p.key,
           coalesce((select x.sequence from published x where x.topic = p.topic and x.key = p.key
                     order by x.sequence desc limit 1), 0)
               + row_number() over (partition by p.topic, p.key order by p.ord),
           p.event, p.attributes, p.value, stamp
    from unnest(p_unit, p_topic, p_key, p_event, p_attributes, p_value)
         with ordinality as p(unit, topic, key, event, attributes, value, ord)
    where status[p.unit] = 0;
    get diagnostics told = row_count;

    if told > 0 then
        select sha256(head.hash || convert_to(string_agg(
                   concat_ws(e'\x1f', position, topic, key, sequence, attributes, value,
                             extract(epoch from recorded_at)), e'\x1e' order by position), 'UTF8'))
        into link from published where position > head.position;
        insert into log_chain (position, hash) values (head.position + told, link);
        update log_head set position = head.position + told, recorded_at = stamp, hash = link;
    else
        update log_head set recorded_at = stamp where recorded_at < stamp;
    end if;

    for batch in select v.view, ('[' || string_agg(v.row, ',' order by v.ord) || ']')::jsonb as rows
                 from unnest(v_unit, v_view, v_row) with ordinality as v(unit, view, row, ord)
                 where status[v.unit] = 0 group by v.view loop
        execute format('select %I($1)', 'keep_' || batch.view) using batch.rows;
    end loop;

    return status;
end $$;
