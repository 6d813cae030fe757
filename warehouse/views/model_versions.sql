create or replace view model_versions as
select *
from read_parquet('lake/model_versions/*.parquet');

comment on view model_versions is 'one judged model version';
