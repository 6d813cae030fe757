create or replace view products as
select *
from read_parquet('lake/products/*.parquet');

comment on view products is 'one product on the shelf';
