create or replace view catalogs as
select *
from read_parquet('lake/catalogs/*.parquet');
