-- Units are thrown away at the closing of the last date on which they may be sold. Rows = failure.
select
    business_date,
    store_id,
    sku,
    expires_on,
    units_kept
from stock_movements
where list_contains($business_dates, business_date) and units_kept > 0 and expires_on <= business_date;
