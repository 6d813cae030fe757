-- One row per business date, store and product.
create or replace view daily_sales as
select
    business_date,
    store_id,
    sku,
    any_value(product_name) as product_name,
    count(*) as count_visits,
    count(*) filter (where purchased) as count_units,
    count(*) filter (where outcome = 'out_of_stock') as count_sold_out_visits,
    coalesce(sum(price_offered) filter (where purchased), 0) as revenue_eur,
    avg(price_offered) as mean_price_eur
from interactions
group by business_date, store_id, sku;
