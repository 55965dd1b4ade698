-- The control events: every fact about the installation, appended once and never changed.
-- Each stream is a gapless sequence whose entries carry the hash of the entry before.

create table event_streams (
  stream   text   primary key,
  sequence bigint not null default 0 check (sequence >= 0),
  hash     text   not null
);
comment on table event_streams is
  'Head of each stream of control events: the last sequence number and hash. Writers lock its row.';

create table control_events (
  stream      text        not null references event_streams (stream),
  sequence    bigint      not null check (sequence > 0),
  id          uuid        not null unique,
  kind        text        not null,
  version     integer     not null check (version > 0),
  occurred_at timestamptz not null,
  actor       text        not null,
  subject     text        not null,
  data        jsonb       not null,
  prev_hash   text        not null,
  hash        text        not null,
  primary key (stream, sequence)
);
create index control_events_subject on control_events (subject, occurred_at);
comment on table control_events is
  'Facts in the order they happened, per stream, chained by SHA-256. Insert and select only.';

-- Grants keep the program from changing the past; the trigger keeps the owner from it by mistake.
create function control_events_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'control events are never changed or removed (%)', tg_op
    using errcode = 'insufficient_privilege';
end
$$;

create trigger control_events_no_change
  before update or delete on control_events
  for each row execute function control_events_refuse_change();

create trigger control_events_no_truncate
  before truncate on control_events
  for each statement execute function control_events_refuse_change();

-- The roles exist only on the embedded server; elsewhere one role owns and uses everything.
do $$
begin
  if exists (select from pg_roles where rolname = 'tensorforge_app') then
    grant select, insert on control_events to tensorforge_app;
    grant select, insert, update on event_streams to tensorforge_app;
    grant select on schema_migrations to tensorforge_app;
  end if;
  if exists (select from pg_roles where rolname = 'tensorforge_audit') then
    grant select, insert on control_events to tensorforge_audit;
    grant select on event_streams to tensorforge_audit;
  end if;
end
$$;
