-- What was used and what it cost: by the hour for reports, by the month for budgets, and how far each
-- process has written, so that a write whose answer was lost is not made twice.

create table usage_hourly (
  hour              bigint not null check (hour >= 0),
  key_id            text   not null,
  group_name        text   not null,
  model             text   not null,
  backend_id        text   not null,
  requests          bigint not null check (requests >= 0),
  succeeded         bigint not null check (succeeded >= 0),
  refused           bigint not null check (refused >= 0),
  failed            bigint not null check (failed >= 0),
  aborted           bigint not null check (aborted >= 0),
  priced            bigint not null check (priced >= 0),
  unpriced          bigint not null check (unpriced >= 0),
  prompt_tokens     bigint not null check (prompt_tokens >= 0),
  completion_tokens bigint not null check (completion_tokens >= 0),
  cached_tokens     bigint not null check (cached_tokens between 0 and prompt_tokens),
  cost_micro_usd    bigint not null check (cost_micro_usd >= 0),
  backend_ms        bigint not null check (backend_ms >= 0),
  primary key (hour, key_id, group_name, model, backend_id),
  constraint usage_hourly_priced check (priced + unpriced <= requests)
);
create index usage_hourly_group on usage_hourly (group_name, hour);
comment on table usage_hourly is
  'Requests, tokens and cost per hour since 1970 UTC, key, group, model and backend. An empty model or backend: none was asked.';
comment on column usage_hourly.priced is
  'Requests of backends with a price; the cost is theirs. Those of backends without one are unpriced, what no backend worked on is neither.';

create table budget_months (
  scope           text   not null check (scope in ('installation', 'group', 'key')),
  id              text   not null,
  month           text   not null check (month ~ '^\d{4}-\d{2}$'),
  spend_micro_usd bigint not null check (spend_micro_usd >= 0),
  primary key (scope, id, month)
);
comment on table budget_months is
  'What was spent per calendar month (UTC): by the installation (its id is empty), by groups and keys.';

create table usage_writers (
  writer     uuid        primary key,
  batch      bigint      not null check (batch > 0),
  written_at timestamptz not null
);
comment on table usage_writers is
  'The last batch of usage that each process has added.';

do $$
begin
  if exists (select from pg_roles where rolname = 'tensorforge_app') then
    grant select, insert, update, delete
      on usage_hourly, budget_months, usage_writers to tensorforge_app;
  end if;
end
$$;
