-- One row per business date, store and product.
create or replace view daily_sales as
with daily as (
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
    group by business_date, store_id, sku
),

being_sold as (
    select distinct
        business_date,
        store_id
    from live_interactions
)

select
    daily.business_date,
    daily.store_id,
    daily.sku,
    daily.product_name,
    daily.count_visits,
    daily.count_units,
    daily.count_sold_out_visits,
    daily.revenue_eur,
    daily.mean_price_eur,
    being_sold.store_id is null as is_finished
from daily
left join being_sold on daily.business_date = being_sold.business_date and daily.store_id = being_sold.store_id;

comment on view daily_sales is 'one business date, store and product';
comment on column daily_sales.product_name is 'name for people';
comment on column daily_sales.count_visits is 'shoppers who considered the product';
comment on column daily_sales.count_units is 'units sold, those taken instead of another product too';
comment on column daily_sales.count_sold_out_visits is
'of the visits, those that met an empty shelf; null when no stock is known';
comment on column daily_sales.revenue_eur is 'revenue, EUR';
comment on column daily_sales.mean_price_eur is 'mean price that visits saw, EUR';
comment on column daily_sales.is_finished is
'whether the day is over; of a day that is still being sold, more will come';
