-- One row per product and price that shoppers met with stock: how many bought, and how demand answers to the step from
-- the next lower price. The arc elasticity is the change of the share bought over the change of price, each relative to
-- the middle of the step; below -1 the dearer price earns less. Few visits make it noisy: see count_visits.
create or replace view demand_by_price as
with prices as (
    select
        sku,
        price_offered,
        any_value(price_ratio) as price_ratio,
        sum(n_offered)::bigint as count_visits,
        sum(n_purchased)::bigint as count_units,
        sum(n_purchased) / sum(n_offered) as share_bought
    from demand_cells
    group by sku, price_offered
),

steps as (
    select
        sku,
        price_offered,
        price_ratio,
        count_visits,
        count_units,
        share_bought,
        lag(price_offered) over by_price as price_below,
        lag(share_bought) over by_price as share_below
    from prices
    window by_price as (partition by sku order by price_offered)
)

select
    sku,
    price_offered,
    price_ratio,
    count_visits,
    count_units,
    share_bought,
    price_offered * share_bought as revenue_per_visit_eur,
    ((share_bought - share_below) / nullif(share_bought + share_below, 0))
    / ((price_offered - price_below) / (price_offered + price_below)) as arc_elasticity
from steps;

comment on view demand_by_price is 'one product and price that shoppers met with stock';
comment on column demand_by_price.count_visits is 'visits that saw the price with stock on the shelf';
comment on column demand_by_price.count_units is 'of them, purchases';
comment on column demand_by_price.share_bought is 'purchases over visits';
comment on column demand_by_price.revenue_per_visit_eur is 'price x share bought, EUR';
comment on column demand_by_price.arc_elasticity is 'elasticity of demand over the step from the next lower price';
