-- One row per business date, store, product and hour of the day (UTC) with a visit, and the same hour on the clock of
-- the store. Where a zone is off by half an hour, an hour of UTC has two local hours: its first visit tells which.
create or replace view hourly_sales as
select
    interactions.business_date,
    interactions.store_id,
    interactions.sku,
    extract(hour from interactions.seen_at at time zone 'UTC')::int as hour_utc,
    count(*) as count_visits,
    count(*) filter (where interactions.purchased) as count_units,
    coalesce(sum(interactions.price_offered) filter (where interactions.purchased), 0) as revenue_eur,
    avg(interactions.price_offered) as mean_price_eur,
    extract(hour from min(interactions.seen_at) at time zone coalesce(any_value(stores.time_zone), 'UTC'))::int
        as hour_local
from interactions
left join stores on interactions.store_id = stores.store_id
group by interactions.business_date, interactions.store_id, interactions.sku, hour_utc;

comment on view hourly_sales is 'one business date, store, product and hour with a visit';
comment on column hourly_sales.hour_utc is 'hour of the day, UTC: 8 is from 08:00 to before 09:00';
comment on column hourly_sales.hour_local is
'hour of the day on the clock of the store, at the first visit: 8 is from 08:00 to before 09:00';
comment on column hourly_sales.count_visits is 'shoppers who considered the product';
comment on column hourly_sales.count_units is 'units sold';
comment on column hourly_sales.revenue_eur is 'revenue, EUR';
comment on column hourly_sales.mean_price_eur is 'mean price that visits saw, EUR';
