-- One row per store that sold something on a date: what it earned, and which part of the shelf ran out while shoppers
-- still came. A product of unknown cost counts with a cost of zero. What was lost assumes that those who met an empty
-- shelf would have spent what those before them did; a product that nobody met on the shelf is not known to have lost.
-- Waste is null before closing, and where no stock lives over days; profit is the margin less waste and holding.
with by_product as (
    select
        store_id,
        sku,
        count(*) filter (where instead_of is null) as count_visits,
        count(*) filter (where purchased) as count_units,
        coalesce(sum(price_offered) filter (where purchased), 0) as revenue_eur,
        count(*) filter (where outcome = 'out_of_stock') as count_missed_visits,
        coalesce(sum(price_offered) filter (where purchased and instead_of is null), 0) as revenue_of_visits_eur
    from visits_and_substitutions
    where business_date = $date
    group by store_id, sku
),

by_store as (
    select
        by_product.store_id,
        sum(by_product.count_units)::bigint as count_units,
        sum(by_product.revenue_eur) as revenue_eur,
        sum(by_product.revenue_eur - by_product.count_units * coalesce(products.unit_cost, 0)) as margin_eur,
        count(*) filter (where by_product.count_missed_visits > 0) as count_sold_out,
        sum(by_product.count_missed_visits)::bigint as count_missed_visits,
        coalesce(
            sum(
                by_product.count_missed_visits * by_product.revenue_of_visits_eur
                / nullif(by_product.count_visits - by_product.count_missed_visits, 0)
            ),
            0
        ) as lost_revenue_eur
    from by_product
    left join products on by_product.sku = products.sku
    group by by_product.store_id
),

closed as (
    select
        store_id,
        sum(units_spoiled)::bigint as count_spoiled,
        sum(waste_eur) as waste_eur,
        sum(holding_eur) as holding_eur
    from stock_movements
    where business_date = $date
    group by store_id
)

select
    by_store.store_id,
    by_store.count_units,
    by_store.revenue_eur,
    by_store.margin_eur,
    by_store.count_sold_out,
    by_store.count_missed_visits,
    by_store.lost_revenue_eur,
    closed.count_spoiled,
    closed.waste_eur,
    by_store.margin_eur - closed.waste_eur - closed.holding_eur as profit_eur
from by_store
left join closed on by_store.store_id = closed.store_id
order by by_store.store_id;
