create or replace view products as
select *
from read_parquet('lake/products/*.parquet');
