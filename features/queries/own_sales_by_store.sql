-- One row per store, product and price that a policy of ours showed over some days, of some products: visits that found
-- the product on the shelf, and those of them that bought. Prices that somebody else set are left out.
select
    store_id,
    sku,
    price_offered,
    sum(count_met)::bigint as count_met,
    sum(count_bought)::bigint as count_bought
from visits_in_context
where
    not is_external and count_met > 0 and business_date between $first and $last and list_contains($skus, sku)
group by store_id, sku, price_offered
order by store_id, sku, price_offered;
