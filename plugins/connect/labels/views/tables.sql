-- What one row of each table is, as its contract says; a test compares.
comment on view export_batches is
'one price of a batch that is sent to the till and the label of a store; it is recorded before it is sent';
comment on view label_states is
'one thing that a till or a label said of one price of a batch; what was said last, by `said_at`, holds';
