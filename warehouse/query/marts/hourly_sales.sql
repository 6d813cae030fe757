-- One row per business date, store, product and hour of the day (UTC) with a visit or a unit sold, and the same hour on
-- the clock of the store. Where a zone is off by half an hour, an hour of UTC has two local hours: its first visit says
-- which.
create or replace view hourly_sales as
select
    sold.business_date,
    sold.store_id,
    sold.sku,
    extract(hour from sold.seen_at at time zone 'UTC')::int as hour_utc,
    count(*) filter (where sold.instead_of is null) as count_visits,
    count(*) filter (where sold.purchased) as count_units,
    coalesce(sum(sold.price_offered) filter (where sold.purchased), 0) as revenue_eur,
    avg(sold.price_offered) filter (where sold.instead_of is null) as mean_price_eur,
    extract(hour from min(sold.seen_at) at time zone coalesce(any_value(stores.time_zone), 'UTC'))::int
        as hour_local
from visits_and_substitutions as sold
left join stores on sold.store_id = stores.store_id
group by sold.business_date, sold.store_id, sold.sku, hour_utc;

comment on view hourly_sales is 'one business date, store, product and hour with a visit';
comment on column hourly_sales.hour_utc is 'hour of the day, UTC: 8 is from 08:00 to before 09:00';
comment on column hourly_sales.hour_local is
'hour of the day on the clock of the store, at the first visit: 8 is from 08:00 to before 09:00';
comment on column hourly_sales.count_visits is 'shoppers who considered the product';
comment on column hourly_sales.count_units is 'units sold, those taken instead of another product too';
comment on column hourly_sales.revenue_eur is 'revenue, EUR';
comment on column hourly_sales.mean_price_eur is 'mean price that visits saw, EUR';
