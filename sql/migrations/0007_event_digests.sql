-- Sealed digests: the heads of all streams of control events at one moment, chained and signed, so
-- that a stream cannot be rewritten as a whole, nor its end be cut off, without a seal telling.

create table event_digests (
  sequence    bigint      primary key check (sequence > 0),
  sealed_at   timestamptz not null,
  heads       jsonb       not null,
  prev_digest text        not null,
  digest      text        not null,
  signature   text        not null,
  public_key  text        not null
);
create index event_digests_sealed_at on event_digests (sealed_at);
comment on table event_digests is
  'Seals over the heads of all streams, each with the digest of the seal before. Insert and select only.';
comment on column event_digests.heads is
  'Stream, sequence and hash of the last event of each stream, sorted by stream.';
comment on column event_digests.signature is
  'Ed25519 over sequence and digest; the private half is a file of the data directory, never here.';

-- Grants keep the program from changing the past; the trigger keeps the owner from it by mistake.
create function event_digests_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'sealed digests are never changed or removed (%)', tg_op
    using errcode = 'insufficient_privilege';
end
$$;

create trigger event_digests_no_change
  before update or delete on event_digests
  for each row execute function event_digests_refuse_change();

create trigger event_digests_no_truncate
  before truncate on event_digests
  for each statement execute function event_digests_refuse_change();

-- The roles exist only on the embedded server; elsewhere one role owns and uses everything.
do $$
begin
  if exists (select from pg_roles where rolname = 'tensorforge_app') then
    grant select, insert on event_digests to tensorforge_app;
  end if;
  if exists (select from pg_roles where rolname = 'tensorforge_audit') then
    grant select, insert on event_digests to tensorforge_audit;
  end if;
end
$$;
