-- The fleet as far as it must outlive a restart, the applied configurations, and the services.

create table backends (
  id               text        primary key,
  name             text        not null unique,
  url              text        not null unique,
  backend_type     text        not null,
  priority         integer     not null default 50,
  zone             text        not null default 'open' check (zone in ('restricted', 'open')),
  tier             integer     not null default 3 check (tier between 1 and 5),
  capacity         integer     not null default 0 check (capacity >= 0),
  api_key_env      text,
  discovery_source text        not null check (discovery_source in ('static', 'mdns', 'manual')),
  metadata         jsonb       not null default '{}',
  approved         boolean     not null default false,
  draining         boolean     not null default false,
  simulated        boolean     not null default false,
  created_at       timestamptz not null,
  manual_order     integer
);
comment on table backends is
  'Persisted backends: configured, added by hand, or discovered and approved. What is observed about them is not here.';
comment on column backends.manual_order is 'Place that an operator gave it; null sorts by priority.';
comment on column backends.api_key_env is 'Name of the environment variable with its credential.';

create table config_revisions (
  revision   bigserial   primary key,
  digest     text        not null,
  source     text        not null,
  document   jsonb       not null,
  actor      text        not null,
  applied_at timestamptz not null
);
create index config_revisions_digest on config_revisions (digest);
comment on table config_revisions is
  'Configurations that were applied, by digest of their canonical text. Secrets are left out.';

create table service_registry (
  service_id  text    primary key,
  port        integer check (port between 1 and 65535),
  health_path text    not null,
  version     text    not null
);
comment on table service_registry is 'The services of the installation and where their health is.';

do $$
begin
  if exists (select from pg_roles where rolname = 'tensorforge_app') then
    grant select, insert, update, delete
      on backends, config_revisions, service_registry to tensorforge_app;
    grant usage, select on sequence config_revisions_revision_seq to tensorforge_app;
  end if;
end
$$;
