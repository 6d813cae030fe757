-- One row per business date, store, product and hour of the day (UTC) with a visit.
create or replace view hourly_sales as
select
    business_date,
    store_id,
    sku,
    extract(hour from seen_at at time zone 'UTC')::int as hour_utc,
    count(*) as count_visits,
    count(*) filter (where purchased) as count_units,
    coalesce(sum(price_offered) filter (where purchased), 0) as revenue_eur,
    avg(price_offered) as mean_price_eur
from interactions
group by business_date, store_id, sku, hour_utc;

comment on view hourly_sales is 'one business date, store, product and hour with a visit';
comment on column hourly_sales.hour_utc is 'hour of the day, UTC: 8 is from 08:00 to before 09:00';
comment on column hourly_sales.count_visits is 'shoppers who considered the product';
comment on column hourly_sales.count_units is 'units sold';
comment on column hourly_sales.revenue_eur is 'revenue, EUR';
comment on column hourly_sales.mean_price_eur is 'mean price that visits saw, EUR';
