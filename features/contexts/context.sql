-- The context of a store's hour: what is known of it before its prices are set. One definition for training and for
-- pricing. Beside the lake it stands on small relations of the catalog: public_holidays, weekend_days, store_labels,
-- store_sizes and pay_days, see features/context.py.

-- Every label that any store has, or any date in it: the region and the tags of a store, and announced events.
create or replace view context_labels as
select
    store_id,
    null::date as business_date,
    label
from store_labels
union all
select
    store_id,
    date as business_date,
    'event_' || what as label
from events;

create or replace type context_label as enum (select distinct label from context_labels order by label);

-- One row per product, one 0/1 column per category that has several products.
create or replace type shelf_category as enum (
    select 'category_' || category as label from products
    group by category
    having count(*) > 1
    order by label
);

create or replace view category_one_hot as
with categories as (
    select
        sku,
        'category_' || category as label
    from products
)

pivot categories on label in shelf_category using coalesce(max(1.0), 0.0) group by sku;

-- One row per store and date of the relation that is given, with what is known of the whole day.
create or replace macro context_of_days(store_days) as table
    with days as (
        select distinct
            business_date::date as business_date,
            store_id
        from query_table(store_days)
    ),

    labelled as (
        select
            days.business_date,
            days.store_id,
            context_labels.label
        from days
        left join context_labels
            on
                coalesce(context_labels.business_date, days.business_date) = days.business_date
                and coalesce(context_labels.store_id, days.store_id) = days.store_id
    ),

    labels as (
        pivot labelled on label in context_label
        using coalesce(max(1.0), 0.0)
        group by business_date, store_id
    ),

    paid as (
        select
            days.business_date,
            days.store_id,
            date_trunc('month', days.business_date)::date as this_month,
            (date_trunc('month', days.business_date) - interval 1 month)::date as last_month,
            pay_days.day
        from days
        cross join pay_days
    ),

    paid_on as (
        select
            business_date,
            store_id,
            if(day is null, null, this_month + least(day, day(last_day(this_month)))::int - 1) as this_time,
            if(day is null, null, last_month + least(day, day(last_day(last_month)))::int - 1) as last_time
        from paid
    )

    select
        days.business_date,
        days.store_id,
        isodow(days.business_date)::double as weekday,
        (isodow(days.business_date) in (from weekend_days))::double as is_weekend,
        (days.business_date in (from public_holidays))::double as is_holiday,
        (days.business_date + 1 in (from public_holidays))::double as is_day_before_holiday,
        (days.business_date - if(paid_on.this_time <= days.business_date, paid_on.this_time, paid_on.last_time))::double
            as days_since_pay_day,
        store_sizes.size,
        coalesce(own.temperature, everywhere.temperature) as temperature,
        labels.* exclude (business_date, store_id) -- noqa: AM04
    from days
    inner join paid_on on days.business_date = paid_on.business_date and days.store_id = paid_on.store_id
    inner join labels on days.business_date = labels.business_date and days.store_id = labels.store_id
    left join store_sizes on days.store_id = store_sizes.store_id
    left join weather as own on days.business_date = own.date and days.store_id = own.store_id
    left join weather as everywhere on days.business_date = everywhere.date and everywhere.store_id is null;

-- The hour of a store's clock at an hour of a date at UTC. A clock is slow to ask: ask it of groups, not of rows.
create or replace macro hour_on_clock(business_date, hour_utc, time_zone) as
extract(
    hour from (business_date + to_hours(hour_utc)) at time zone 'UTC' at time zone coalesce(time_zone, 'UTC')
)::double;

-- What was sold in each hour, by store, product and price: the decisions that met stock, and units that were counted,
-- as in demand_cells. The hour is that at UTC, or for units that of the store's clock; units counted by the day have
-- none.
create or replace view sold_in_context as
select
    visits_in_context.business_date,
    visits_in_context.store_id,
    visits_in_context.hour_utc,
    stores.time_zone,
    null::double as hour_told,
    visits_in_context.sku,
    visits_in_context.price_offered,
    visits_in_context.count_met as n_offered,
    visits_in_context.count_bought as n_purchased
from visits_in_context
left join stores on visits_in_context.store_id = stores.store_id
union all
select
    business_date,
    store_id,
    null as hour_utc,
    null as time_zone,
    hour::double as hour_told,
    sku,
    price as price_offered,
    chances as n_offered,
    round(units)::bigint as n_purchased
from unit_sales
where stock is distinct from 0 and not is_sudden_zero and chances > 0;
