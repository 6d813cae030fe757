create or replace view shoppers as
select *
from read_parquet('lake/shoppers/*.parquet');

comment on view shoppers is 'one shopper of the pool';
