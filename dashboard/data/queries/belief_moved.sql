-- One row per candidate price of one product, as it was believed before a date, and before the newest date through
-- another; where none is that old, before the oldest date.
with then_and_now as (
    select
        coalesce(
            max(business_date) filter (where business_date <= $through), min(business_date)
        ) as earlier
    from demand_curves_history
    where sku = $sku and business_date < $date
)

select
    curves.business_date,
    curves.price,
    curves.p_sale,
    curves.p_sale_low,
    curves.p_sale_high
from demand_curves_history as curves
cross join then_and_now as dates
where curves.sku = $sku and (curves.business_date = $date or curves.business_date = dates.earlier)
order by curves.business_date, curves.price;
