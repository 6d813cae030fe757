-- One row per tick and product of one store day in which something happened: what was sold, at which price, and the
-- stock after it. A tick without a visit or a decision has no row. The price is the label's: where all who came stood
-- before a sticker, it is the label's last change.
with visits as (
    select
        tick,
        sku,
        any_value(product_name) as product_name,
        count(*) filter (where instead_of is null) as count_visits,
        count(*) filter (where purchased) as count_units,
        count(*) filter (where outcome = 'too_expensive') as count_too_expensive,
        count(*) filter (where outcome = 'out_of_stock') as count_sold_out_visits,
        coalesce(sum(price_offered) filter (where purchased), 0) as revenue_eur,
        arg_max(price_offered, seen_at) filter (
            where price_offered is distinct from sticker_eur
        ) as price_seen_eur,
        min(inventory_level - purchased::int) as stock_after,
        max(inventory_level) as stock_before,
        any_value(model_version) as model_version
    from visits_and_substitutions
    where business_date = $date and store_id = $store
    group by tick, sku
),

decisions as (
    select
        tick,
        sku,
        new_price,
        inventory_level,
        model_version
    from repricings
    where business_date = $date and store_id = $store
)

select
    coalesce(visits.tick, decisions.tick) as tick,
    coalesce(visits.sku, decisions.sku) as sku,
    visits.product_name,
    coalesce(visits.count_visits, 0) as count_visits,
    coalesce(visits.count_units, 0) as count_units,
    coalesce(visits.count_too_expensive, 0) as count_too_expensive,
    coalesce(visits.count_sold_out_visits, 0) as count_sold_out_visits,
    coalesce(visits.revenue_eur, 0) as revenue_eur,
    coalesce(
        decisions.new_price,
        visits.price_seen_eur,
        last_value(decisions.new_price ignore nulls) over (
            partition by coalesce(visits.sku, decisions.sku)
            order by coalesce(visits.tick, decisions.tick)
        )
    ) as price_eur,
    coalesce(decisions.inventory_level, visits.stock_before) as stock_before,
    coalesce(visits.stock_after, decisions.inventory_level) as stock_after,
    coalesce(decisions.model_version, visits.model_version) as model_version
from visits
full outer join decisions on visits.tick = decisions.tick and visits.sku = decisions.sku
order by tick, sku;
