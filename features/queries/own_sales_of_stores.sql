-- One row per business date, store, hour, product and price that a policy of ours showed over some days: visits that
-- found the product on the shelf, and those of them that bought. Prices that somebody else set are left out.
select
    business_date,
    store_id,
    hour_utc,
    sku,
    price_offered,
    count_met,
    count_bought
from visits_in_context
where not is_external and count_met > 0 and business_date between $first and $last
order by business_date, store_id, hour_utc, sku, price_offered;
