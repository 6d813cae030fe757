-- What was carried and delivered was sold, spoiled, missing or kept, to the unit, and none of these is below 0.
-- Rows = failure.
select
    business_date,
    store_id,
    sku,
    expires_on,
    units_carried + units_delivered - units_sold - units_spoiled + units_adjusted as units_left,
    units_kept
from stock_movements
where
    list_contains($business_dates, business_date)
    and (
        units_kept <> units_carried + units_delivered - units_sold - units_spoiled + units_adjusted
        or least(units_carried, units_delivered, units_sold, units_spoiled, units_kept, units_on_order) < 0
    );
