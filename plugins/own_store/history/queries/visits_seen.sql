-- One row per visit of some partitions, in the columns that a profile asks for.
create or replace temp view seen as
select
    sku,
    store_id,
    business_date,
    price_offered as price,
    purchased::double as count_bought
from sold;
