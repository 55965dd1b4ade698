-- What happened to jobs: every transition of a workflow, recorded before it is applied.

create table job_transitions (
  sequence   bigint primary key check (sequence > 0),
  entity_id  text   not null,
  from_state text   not null,
  to_state   text   not null,
  timestamp  bigint not null
);
create index job_transitions_entity on job_transitions (entity_id, sequence);
comment on table job_transitions is
  'Transitions of workflows in the order they were recorded, without a gap. Insert and select only.';
comment on column job_transitions.timestamp is 'When it was asked for, milliseconds since 1970.';

-- Grants keep the program from changing the past; the trigger keeps the owner from it by mistake.
create function job_transitions_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'job transitions are never changed or removed (%)', tg_op
    using errcode = 'insufficient_privilege';
end
$$;

create trigger job_transitions_no_change
  before update or delete on job_transitions
  for each row execute function job_transitions_refuse_change();

create trigger job_transitions_no_truncate
  before truncate on job_transitions
  for each statement execute function job_transitions_refuse_change();

-- The roles exist only on the embedded server; elsewhere one role owns and uses everything.
do $$
begin
  if exists (select from pg_roles where rolname = 'tensorforge_app') then
    grant select, insert on job_transitions to tensorforge_app;
  end if;
  if exists (select from pg_roles where rolname = 'tensorforge_audit') then
    grant select on job_transitions to tensorforge_audit;
  end if;
end
$$;
