-- Circuit breakers that are or were not closed, so that a restart does not flood a backend that fails:
-- one that was open when the program ended begins half open.

create table circuit_breaker_state (
  service_id      text        primary key,
  state           text        not null default 'closed'
    check (state in ('closed', 'open', 'half_open')),
  failure_count   integer     not null default 0 check (failure_count >= 0),
  success_count   integer     not null default 0 check (success_count >= 0),
  last_transition timestamptz not null default now(),
  opened_at       timestamptz,
  last_failure    text
);
comment on table circuit_breaker_state is
  'Circuit breakers as of their last transition. What counts between two transitions is not written.';
comment on column circuit_breaker_state.service_id is
  '`backend:ID`, or `backend:ID/model:M` for one model of a backend.';
comment on column circuit_breaker_state.last_failure is 'Words for what opened it last.';

do $$
begin
  if exists (select from pg_roles where rolname = 'tensorforge_app') then
    grant select, insert, update, delete on circuit_breaker_state to tensorforge_app;
  end if;
end
$$;
