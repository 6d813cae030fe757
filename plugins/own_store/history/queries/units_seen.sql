-- One row per row of unit sales of some partitions, in the columns that a profile asks for.
create or replace temp view seen as
select
    sku,
    store_id,
    business_date,
    price,
    units as count_bought
from sold;
