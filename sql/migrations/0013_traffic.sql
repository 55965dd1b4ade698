-- Comparisons of answers with those of copies that were sent to what is being tried out. Figures only: no
-- prompt and no answer is kept.

create table shadow_comparisons (
  id                    bigint      generated always as identity primary key,
  shadow                text        not null,
  at                    timestamptz not null,
  request_id            uuid        not null,
  outcome               text        not null check (outcome in ('compared', 'failed', 'timed_out')),
  primary_model         text        not null,
  primary_backend       text        not null,
  model                 text        not null,
  backend               text        not null,
  primary_status        integer     not null,
  status                integer     not null,
  primary_tokens        bigint      not null check (primary_tokens >= 0),
  tokens                bigint      not null check (tokens >= 0),
  primary_first_byte_ms bigint      check (primary_first_byte_ms >= 0),
  first_byte_ms         bigint      check (first_byte_ms >= 0),
  primary_total_ms      bigint      not null check (primary_total_ms >= 0),
  total_ms              bigint      not null check (total_ms >= 0),
  distance              integer     check (distance between 0 and 10000)
);
create index shadow_comparisons_shadow on shadow_comparisons (shadow, id desc);
comment on table shadow_comparisons is
  'Of each copied request both answers in figures; the newest of each rule are kept. distance: basis points between the two texts.';

do $$
begin
  if exists (select from pg_roles where rolname = 'tensorforge_app') then
    grant select, insert, delete on shadow_comparisons to tensorforge_app;
  end if;
end
$$;
