create or replace view champions as
select *
from read_parquet('lake/champions/*.parquet');

comment on view champions is 'one change of champion; numbers count up, and the newest one says who the champion is';
