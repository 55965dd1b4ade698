-- Who may use the installation: users, groups, membership, and the credentials of both.

create table users (
  id                          bigserial   primary key,
  username                    text        not null unique,
  encrypted_password          text        not null,
  auth_signature              bigint,
  reset_password_token        text,
  reset_password_token_expiry timestamptz,
  current_sign_in_at          timestamptz,
  last_sign_in_at             timestamptz,
  current_sign_in_ip          text,
  last_sign_in_ip             text,
  created_at                  timestamptz not null default now(),
  updated_at                  timestamptz not null default now(),
  admin                       boolean     not null default false,
  state                       integer     not null default 0,
  group_quota                 integer     not null default 8,
  group_count                 integer     not null default 1
);
comment on table users is 'People. State 0 is Active, 1 Locked, 2 Deleted.';
comment on column users.encrypted_password is
  'argon2id PHC string; a lone exclamation mark is a user who cannot log in by password.';
comment on column users.auth_signature is 'Login epoch: a new value ends every older login.';

create table groups (
  id            bigserial   primary key,
  group_name    text        not null unique,
  creator_id    bigint      not null references users (id) on delete restrict on update cascade,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  state         integer     not null default 0,
  task_count    bigint      not null default 0,
  storage_quota bigint      not null default 16000000000,
  storage_used  bigint      not null default 0
);
create index groups_creator_id on groups (creator_id);
comment on table groups is 'Owners of everything: each object belongs to exactly one group.';
comment on column groups.task_count is 'Number of the newest task of the group.';

create table user_group (
  id       bigserial primary key,
  user_id  bigint    not null references users (id) on delete restrict,
  group_id bigint    not null references groups (id) on delete restrict,
  role     integer   not null,
  unique (user_id, group_id)
);
create index user_group_group_id on user_group (group_id);
comment on table user_group is 'Membership. Role 0 is Read, 1 is Write, 2 is Admin.';

create table token_store (
  token_id    text    primary key,
  token_hash  text    not null,
  issued_at   bigint  not null,
  ttl_seconds bigint  not null,
  revoked     boolean not null default false
);
create index token_store_issued_at on token_store (issued_at);
comment on table token_store is
  'Hashes of opaque credentials, never the credentials. Valid in [issued_at, issued_at + ttl_seconds), Unix seconds.';

create table api_keys (
  token_id     text        primary key references token_store (token_id) on delete restrict,
  name         text        not null,
  group_id     bigint      not null references groups (id) on delete restrict,
  owner_id     bigint      references users (id) on delete restrict,
  permissions  text[]      not null,
  models       text[]      not null default '{}',
  last4        text        not null,
  created_at   timestamptz not null,
  expires_at   timestamptz,
  revoked_at   timestamptz,
  last_used_at timestamptz
);
create index api_keys_group_id on api_keys (group_id);
create index api_keys_owner_id on api_keys (owner_id);
comment on table api_keys is
  'Facts about API keys; their hashes are in token_store. A key without owner belongs to the group alone.';
comment on column api_keys.models is 'Globs of model ids; empty means every model.';

do $$
begin
  if exists (select from pg_roles where rolname = 'tensorforge_app') then
    grant select, insert, update, delete
      on users, groups, user_group, token_store, api_keys to tensorforge_app;
    grant usage, select on sequence users_id_seq, groups_id_seq, user_group_id_seq
      to tensorforge_app;
  end if;
end
$$;
