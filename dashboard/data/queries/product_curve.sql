-- One row per candidate price of one product, as the champion of one date saw it.
select
    candidate,
    price,
    p_sale,
    expected_revenue,
    supported,
    model_version
from demand_curves_history
where business_date = $date and sku = $sku
order by candidate;
