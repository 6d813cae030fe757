-- Visits of a date in the columns of `interactions`. A product that is not on the shelf keeps its own name. Where the
-- file names no shopper, visits to one product of a store at one moment are numbered.
with visits as (
    select
        staged.*,
        shops.store_id,
        shelf.sku,
        shelf.product_name as shelf_name,
        prices.share,
        staged.local // 60000000 % 1440 - $opens as minute
    from staged
    inner join shops on staged.store = shops.store
    left join shelf on staged.product = shelf.product
    left join prices
        on staged.product = prices.product and staged.price_offered is not distinct from prices.price_offered
    where staged.date = $date
),

numbered as (
    select
        line,
        row_number() over (partition by store, seen_at, product order by line) - 1 as number
    from visits
    where not $names_shoppers and shopper is null
)

select
    visits.line,
    visits.store_id,
    case when visits.minute >= 0 and visits.minute < $minutes then visits.minute // $tick_minutes else -1 end as tick,
    make_timestamp(visits.seen_at) at time zone 'UTC' as seen_at,
    coalesce(visits.shopper, numbered.number) as shopper_id,
    coalesce(visits.sku, visits.product) as sku,
    coalesce(visits.shelf_name, visits.product) as product_name,
    visits.price_offered,
    visits.inventory_level,
    visits.budget_multiplier::float as budget_multiplier,
    visits.purchased,
    case
        when visits.purchased then $bought
        when visits.inventory_level = 0 then $out_of_stock
        else $too_expensive
    end as outcome,
    $external as policy,
    coalesce(visits.propensity, visits.share) as propensity,
    null::varchar as model_version,
    null::double as sticker_eur
from visits
left join numbered on visits.line = numbered.line
order by visits.store_id, visits.seen_at, visits.line;
