-- One row per product and candidate price, of the newest demand curves.
-- Earlier ones are in demand_curves_history.
create or replace view demand_curves as
select
    sku,
    candidate,
    price,
    p_sale,
    expected_revenue,
    p_sale_low,
    p_sale_high,
    supported,
    model_version,
    business_date
from demand_curves_history
where business_date = (select max(business_date) from demand_curves_history);

comment on view demand_curves is 'one candidate price of one product, as it is believed before the day';
