-- The audit trail is read by windows of time, over all streams.

create index control_events_occurred_at on control_events (occurred_at, id);
