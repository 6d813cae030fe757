-- One row per business date, product and price that a policy of ours showed over some days: visits that found the
-- product on the shelf, and those of them that bought. Prices that somebody else set are left out.
select
    business_date,
    sku,
    price_offered,
    count(*) as count_met,
    count(*) filter (where purchased) as count_bought
from decisions_with_stock
where not is_external(policy) and business_date between $first and $last
group by business_date, sku, price_offered
order by business_date, sku, price_offered;
