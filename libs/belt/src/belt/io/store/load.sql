-- One round trip for a batch: known keys ($1), gates ($2 consumer, $3 topic, $4 key), streams above what is cached ($5 id, $6 version).
select 'k' as what, c.key as id, c.reply as data, null::int as n, null::text as type, null::int as schema,
       null::text as holder, c.fingerprint as bytes, null::bigint as big
from unnest($1::text[]) as u(key) join lateral (select * from commands where commands.key = u.key) c on true
union all
select 'g', g.consumer, g.topic, null, g.key, null, null, null, x.sequence
from unnest($2::text[], $3::text[], $4::text[]) as g(consumer, topic, key)
join lateral (select sequence from gates where gates.consumer = g.consumer and gates.topic = g.topic and gates.key = g.key) x on true
union all
select 'e', s.id, e.data, e.version, e.type, e.schema, e.holder, k.wrapped, null
from unnest($5::text[], $6::int[]) as s(id, version)
join lateral (select * from events where stream_id = s.id and events.version > s.version) e on true
left join lateral (select * from keys where keys.holder = e.holder) k on true
