-- Who has read whose pay or personal data: one row per read, never what was read. Safe to run again.

create table if not exists audit (
    id          bigint      generated always as identity primary key,
    read_at     timestamptz not null default clock_timestamp(),
    person      text        not null,      -- who read: the subject of the token
    scopes      text[]      not null,      -- by which of its rights
    kind        text        not null,      -- pay, personal, audit
    whose       text[]      not null,      -- ids of the people or clients
    route       text        not null,
    path        text        not null,      -- the route with its ids, without the query
    request_id  text        not null,
    trace_id    text
);
create index if not exists audit_person on audit (person, id);
create index if not exists audit_whose on audit using gin (whose);

-- Rows are added and, when they are old, taken away; nothing else, whoever asks.
create or replace function audit_stands() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and old.read_at < clock_timestamp() - interval '365 days' then
        return old;
    end if;
    raise exception 'the audit log is never changed';
end $$;
create or replace trigger audit_stands before update or delete on audit
    for each row execute function audit_stands();
create or replace trigger audit_not_emptied before truncate on audit
    for each statement execute function audit_stands();
