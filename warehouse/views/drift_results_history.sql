create or replace view drift_results_history as
select *
from read_parquet('lake/drift_results/*.parquet');

comment on view drift_results_history is 'one rule''s score for one change of a scripted world with one seed';
