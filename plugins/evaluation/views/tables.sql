-- What one row of the table is, as its contract says; a test compares.
comment on view regret_by_day_history is
'one learner on one of the first days of a world with one seed, on the same shoppers as others, in each comparison';
