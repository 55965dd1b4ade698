-- OpenAI's files and batches: what there is, how far each batch is, and what its lines came to. The
-- contents of files are in the data directory, under the id of the file.

create table inference_files (
  sequence   bigint      generated always as identity primary key,
  file_id    text        not null unique,
  group_name text        not null,
  key_id     text        not null,
  purpose    text        not null check (purpose in ('batch', 'batch_output')),
  filename   text        not null,
  bytes      bigint      not null check (bytes >= 0),
  created_at timestamptz not null
);
create index inference_files_group on inference_files (group_name, sequence);
comment on table inference_files is
  'Files of /v1/files: those that keys uploaded, and the output and error files of batches.';

create table inference_batches (
  sequence       bigint      generated always as identity primary key,
  batch_id       text        not null unique,
  group_name     text        not null,
  key_id         text        not null,
  endpoint       text        not null,
  input_file_id  text        not null,
  metadata       jsonb,
  status         text        not null check (status in ('validating', 'failed', 'in_progress',
                   'finalizing', 'completed', 'expired', 'cancelling', 'cancelled')),
  errors         jsonb,
  total          integer     not null default 0 check (total >= 0),
  completed      integer     not null default 0 check (completed >= 0),
  failed         integer     not null default 0 check (failed >= 0),
  cursor_line    integer     not null default 0 check (cursor_line >= 0),
  cursor_byte    bigint      not null default 0 check (cursor_byte >= 0),
  output_file_id text,
  error_file_id  text,
  created_at     timestamptz not null,
  in_progress_at timestamptz,
  expires_at     timestamptz not null,
  finalizing_at  timestamptz,
  completed_at   timestamptz,
  failed_at      timestamptz,
  expired_at     timestamptz,
  cancelling_at  timestamptz,
  cancelled_at   timestamptz,
  constraint inference_batches_counts check (completed + failed <= total)
);
create index inference_batches_group on inference_batches (group_name, sequence);
create index inference_batches_open on inference_batches (sequence)
  where status in ('validating', 'in_progress', 'finalizing', 'cancelling');
comment on table inference_batches is 'Batches of /v1/batches.';
comment on column inference_batches.cursor_line is
  'Lines from the first on that are all answered, and how many bytes of the input file they are.';

create table inference_batch_results (
  batch_id text    not null references inference_batches (batch_id) on delete cascade,
  line     integer not null check (line >= 0),
  is_error boolean not null,
  text     text    not null,
  primary key (batch_id, line)
);
comment on table inference_batch_results is
  'Lines of open batches that were answered, as they will stand in the output or error file.';

do $$
begin
  if exists (select from pg_roles where rolname = 'tensorforge_app') then
    grant select, insert, update, delete
      on inference_files, inference_batches, inference_batch_results to tensorforge_app;
  end if;
end
$$;
