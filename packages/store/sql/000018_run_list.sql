-- Ended runs by state, for lists of those that are rare: most runs succeed, and those are found without.
create index run_history_by_state on run_history (workspace, state, id, generation) where state <> 'succeeded';
