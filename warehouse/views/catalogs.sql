create or replace view catalogs as
select *
from read_parquet('lake/catalogs/*.parquet');

comment on view catalogs is 'one catalog that was in force at some time; the key is the start of its fingerprint';
