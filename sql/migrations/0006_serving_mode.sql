-- The serving mode and what its error budget is counted from, so that a restart changes nothing.

create table serving_modes (
  scope      text        primary key,
  mode       text        not null,
  since      timestamptz not null,
  state      jsonb       not null,
  pin        jsonb,
  write_id   uuid        not null,
  updated_at timestamptz not null
);
comment on table serving_modes is
  'The serving mode by scope; `global` is the installation. A row that could not be read is kept aside under another scope.';
comment on column serving_modes.state is 'What the ladder knows between two evaluations.';
comment on column serving_modes.pin is 'The pin of an operator; null without one.';
comment on column serving_modes.write_id is
  'The write that made the row as it is: one whose answer was lost is recognised by it.';

create table slo_minutes (
  scope  text   not null,
  minute bigint not null check (minute >= 0),
  total  bigint not null check (total >= 0),
  bad    bigint not null check (bad between 0 and total),
  primary key (scope, minute)
);
comment on table slo_minutes is
  'Requests and those outside the service-level objective per minute since 1970; three days are kept.';

create table slo_days (
  scope text   not null,
  day   bigint not null check (day >= 0),
  total bigint not null check (total >= 0),
  bad   bigint not null check (bad between 0 and total),
  primary key (scope, day)
);
comment on table slo_days is
  'The same per day since 1970 (UTC), for the error budget of the period.';

do $$
begin
  if exists (select from pg_roles where rolname = 'tensorforge_app') then
    grant select, insert, update, delete
      on serving_modes, slo_minutes, slo_days to tensorforge_app;
  end if;
end
$$;
