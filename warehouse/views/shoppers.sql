create or replace view shoppers as
select *
from read_parquet('lake/shoppers/*.parquet');
