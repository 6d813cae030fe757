-- `bought` and the flag `purchased` say the same. Rows = failure.
select
    business_date,
    store_id,
    sku,
    count_contradicting
from decided
where count_contradicting > 0;
