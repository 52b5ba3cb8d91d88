-- The store of one service. Applied by its first migration; later changes are migrations of their own.

create table events (
    stream_id   text        not null,
    version     int         not null check (version > 0),
    type        text        not null,
    schema      int         not null,
    holder      text,                      -- whose key seals the private part of `data`
    data        text        not null,      -- JSON; private fields only as ciphertext
    meta        text        not null,      -- JSON: key, command, correlation, causation, actor
    recorded_at timestamptz not null,
    primary key (stream_id, version)
);

-- The public log: gap-free, in commit order, kept for ever.
create table published (
    position    bigint      primary key,
    topic       text        not null,
    key         text        not null,
    sequence    bigint      not null,      -- contiguous per (topic, key)
    event_id    uuid        not null unique,
    attributes  text        not null,      -- JSON: CloudEvents attributes but sequence and recordedtime
    value       text        not null,      -- JSON: the data
    recorded_at timestamptz not null,
    unique (topic, key, sequence)
);

-- One row: the end of the public log. Changed under the store's lock only.
create table log_head (
    one         boolean     primary key default true check (one),
    position    bigint      not null,
    recorded_at timestamptz not null,
    hash        bytea       not null
);
insert into log_head (position, recorded_at, hash) values (0, '-infinity', sha256(''));

-- One link per batch of the public log: hash = sha256(hash before it || the rows up to `position`).
create table log_chain (
    position    bigint      primary key,
    hash        bytea       not null
);

create table claims (
    kind        text        not null,
    value       bytea       not null,      -- keyed hash, never the value itself
    holder      text        not null,      -- the stream that holds it
    primary key (kind, value)
);

create table commands (
    key         text        primary key,
    fingerprint bytea,
    reply       text,
    recorded_at timestamptz not null
);
create index commands_age on commands (recorded_at) where reply is not null;

create table gates (
    consumer    text        not null,
    topic       text        not null,
    key         text        not null,
    sequence    bigint      not null,
    primary key (consumer, topic, key)
);

create table parked (
    id          bigint      generated always as identity primary key,
    consumer    text        not null,
    topic       text        not null,
    key         text        not null,
    sequence    bigint      not null,
    event_id    uuid        not null,
    attributes  text        not null,
    value       text        not null,
    reason      text        not null,
    parked_at   timestamptz not null,
    unique (consumer, topic, key, sequence)
);

-- Events that somebody decided to pass over, for good: who, when and why.
create table skipped (
    id          bigint      generated always as identity primary key,
    consumer    text        not null,
    topic       text        not null,
    key         text        not null,
    sequence    bigint      not null,
    event_id    uuid        not null,
    attributes  text        not null,
    value       text        not null,
    reason      text        not null,      -- why it was parked
    skipped_by  text        not null,
    because     text        not null,      -- why it may be passed over
    skipped_at  timestamptz not null,
    unique (consumer, topic, key, sequence)
);

create table checkpoints (
    name        text        primary key,
    position    bigint      not null
);

create table timers (
    stream_id   text        not null,
    name        text        not null,
    due_at      timestamptz not null,
    primary key (stream_id, name)
);
create index timers_due on timers (due_at, stream_id, name);

-- Keys of holders, wrapped. `wrapped` is null once the key is destroyed; it is never made anew.
create table keys (
    holder      text        primary key,
    wrapped     bytea
);

-- Where a driven clock stands (demo, simulation, tests); empty in production.
create table clock (
    one         boolean     primary key default true check (one),
    at          timestamptz not null
);

