create or replace view champions as
select *
from read_parquet('lake/champions/*.parquet');
