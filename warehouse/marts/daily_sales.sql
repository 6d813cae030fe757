-- One row per business date, store and product.
create or replace view daily_sales as
select
    business_date,
    store_id,
    sku,
    any_value(product_name) as product_name,
    count(*) filter (where instead_of is null) as count_visits,
    count(*) filter (where purchased) as count_units,
    case
        when count(inventory_level) > 0 then count(*) filter (where outcome = 'out_of_stock')
    end as count_sold_out_visits,
    coalesce(sum(price_offered) filter (where purchased), 0) as revenue_eur,
    avg(price_offered) filter (where instead_of is null) as mean_price_eur
from visits_and_substitutions
group by business_date, store_id, sku;

comment on view daily_sales is 'one business date, store and product';
comment on column daily_sales.product_name is 'name for people';
comment on column daily_sales.count_visits is 'shoppers who considered the product';
comment on column daily_sales.count_units is 'units sold, those taken instead of another product too';
comment on column daily_sales.count_sold_out_visits is
'of the visits, those that met an empty shelf; null when no stock is known';
comment on column daily_sales.revenue_eur is 'revenue, EUR';
comment on column daily_sales.mean_price_eur is 'mean price that visits saw, EUR';
