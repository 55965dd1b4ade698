-- What is done to the models of backends, so that a restart goes on with it, and what they are asked
-- for by the hour, which recommendations are made of.

create table backend_operations (
  operation_id       text        primary key,
  operation_type     text        not null
    check (operation_type in ('load', 'unload', 'migrate', 'download')),
  model_id           text        not null,
  source_backend_id  text,
  target_backend_id  text        not null,
  status             text        not null
    check (status in ('pending', 'in_progress', 'completed', 'failed')),
  progress_percent   integer     not null check (progress_percent between 0 and 100),
  initiated_at       timestamptz not null,
  completed_at       timestamptz,
  error_details      text,
  after_operation_id text,
  actor              text        not null
);
create index backend_operations_initiated_at on backend_operations (initiated_at, operation_id);
create index backend_operations_open on backend_operations (operation_id)
  where status in ('pending', 'in_progress');
comment on table backend_operations is
  'Operations on models of backends. A backend may be gone that an old one names.';
comment on column backend_operations.after_operation_id is
  'The download that must complete before this load begins.';
comment on column backend_operations.progress_percent is
  'As of the last change of the status; what runs tells its progress itself.';

create table model_demand (
  model_id text   not null,
  hour     bigint not null check (hour >= 0),
  requests bigint not null check (requests > 0),
  primary key (model_id, hour)
);
create index model_demand_hour on model_demand (hour);
comment on table model_demand is
  'Requests per model and hour since 1970 UTC; thirty days are kept.';

do $$
begin
  if exists (select from pg_roles where rolname = 'tensorforge_app') then
    grant select, insert, update, delete on backend_operations, model_demand to tensorforge_app;
  end if;
end
$$;
