-- Entries that do not fit the declaration of their type are few, and are asked for alone.
create index event_log_invalid on event_log (workspace, position) where invalid is not null;
