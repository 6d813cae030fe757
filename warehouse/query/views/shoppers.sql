-- One row per shopper of the twin. A lake with a retailer's own decisions has none: its shoppers are other people,
-- whose numbers would meet the twin's by chance.
create or replace view shoppers as
select
    shopper_id,
    shopper_name
from shopper_pool
where not exists (select 1 from ingested_files);
