-- One row per business date, store and product that ran out, with what the empty shelf cost: each visit that met it
-- is taken to be worth what a visit to this product was worth while there was stock that day.
create or replace view stock_outs as
with days as (
    select
        business_date,
        store_id,
        sku,
        min(seen_at) filter (where outcome = 'out_of_stock') as first_missed_at,
        count(*) filter (where outcome = 'out_of_stock') as count_lost_visits,
        count(*) filter (where outcome <> 'out_of_stock') as count_served_visits,
        coalesce(sum(price_offered) filter (where purchased), 0) as revenue_eur
    from interactions
    group by business_date, store_id, sku
)

select
    business_date,
    store_id,
    sku,
    first_missed_at,
    count_lost_visits,
    count_lost_visits * revenue_eur / nullif(count_served_visits, 0) as lost_revenue_eur
from days
where count_lost_visits > 0;

comment on view stock_outs is 'one business date, store and product that ran out while shoppers still came';
comment on column stock_outs.first_missed_at is 'when the first shopper met the empty shelf, UTC';
comment on column stock_outs.count_lost_visits is 'shoppers who met the empty shelf';
comment on column stock_outs.lost_revenue_eur is 'estimate: lost visits x revenue per visit while there was stock, EUR';
