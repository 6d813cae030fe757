-- One row per draw of one product in one outside store in a span of days, the newest last: what it believed.
select
    business_date,
    through,
    shelf_price,
    expected_units,
    response,
    response_deviation
from price_draws
where
    store_id = $store
    and sku = $sku
    and business_date between $first and $last
    and response is not null
order by business_date;
