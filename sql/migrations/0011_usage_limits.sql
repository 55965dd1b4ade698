-- What the installation, its groups and its keys may use. A scope without a row has no limit.

create table usage_limits (
  scope                  text        not null check (scope in ('installation', 'group', 'key')),
  id                     text        not null,
  requests_per_minute    bigint      check (requests_per_minute > 0),
  tokens_per_minute      bigint      check (tokens_per_minute > 0),
  concurrent_requests    bigint      check (concurrent_requests > 0),
  month_budget_micro_usd bigint      check (month_budget_micro_usd >= 0),
  max_priority_class     integer     check (max_priority_class between 1 and 5),
  models                 text[]      not null default '{}',
  zones                  text[]      not null default '{}',
  changed_at             timestamptz not null,
  changed_by             text        not null,
  primary key (scope, id),
  constraint usage_limits_installation check ((scope = 'installation') = (id = ''))
);
comment on table usage_limits is
  'Limits of the installation (its id is empty), of groups by name and of keys by token_id. Null sets none; all that hold for a request must admit it.';
comment on column usage_limits.models is 'Globs of model ids; empty means every model.';
comment on column usage_limits.zones is 'Zones of backends; empty means every zone.';

do $$
begin
  if exists (select from pg_roles where rolname = 'tensorforge_app') then
    grant select, insert, update, delete on usage_limits to tensorforge_app;
  end if;
end
$$;
