-- One row per bad row of the relation `given` in the columns of `interactions`: its position and the first reason
-- against it. Numbers may be of wider types than the contract's, and null.
select
    row_number() over () - 1 as position,
    case
        when
            store_id is null or tick is null or seen_at is null or shopper_id is null or sku is null
            or product_name is null or price_offered is null or purchased is null or outcome is null
            or policy is null or propensity is null
            then $missing
        when not (price_offered > 0 and price_offered < 1000000) then 'the price is not a positive finite number'
        when sku not in (select unnest($skus)) then 'the product is not in the catalog'
        when epoch_us(seen_at) > $latest_us then 'the time is in the future'
        when not (inventory_level between 0 and 2147483647 and floor(inventory_level) = inventory_level)
            then 'the stock is negative or not a whole number'
        when tick not between 0 and $last_tick then 'the time is outside the opening hours'
        when shopper_id not between 0 and 2147483647 then 'the shopper''s number cannot be'
        when propensity not between 1e-12 and 1 then $no_propensity
        when not list_contains($outcomes, outcome) then 'the outcome is none of the known ones'
        when cast(purchased as double) not in (0, 1) then $no_purchase
        when cast(purchased as double) = 1 and inventory_level = 0 then 'it was bought although the stock was 0'
    end as reason
from given
qualify reason is not null;
