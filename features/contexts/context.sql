-- The context of a store's day: what is known of it before its prices are set. Beside the lake it stands on small
-- relations of the catalog: public_holidays and pay_days, see features/context.py.

-- Each event that was announced, of one store or, where it has none, of all.
create or replace view announced_events as
select
    store_id,
    date as business_date,
    'event_' || what as label
from events;

create or replace type event_label as enum (select distinct label from announced_events order by label);

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
            announced_events.label
        from days
        left join announced_events
            on
                days.business_date = announced_events.business_date
                and coalesce(announced_events.store_id, days.store_id) = days.store_id
    ),

    labels as (
        pivot labelled on label in event_label
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
        (days.business_date in (from public_holidays))::double as is_holiday,
        (days.business_date + 1 in (from public_holidays))::double as is_day_before_holiday,
        (days.business_date - if(paid_on.this_time <= days.business_date, paid_on.this_time, paid_on.last_time))::double
            as days_since_pay_day,
        coalesce(own.temperature, everywhere.temperature) as temperature,
        labels.* exclude (business_date, store_id) -- noqa: AM04
    from days
    inner join paid_on on days.business_date = paid_on.business_date and days.store_id = paid_on.store_id
    inner join labels on days.business_date = labels.business_date and days.store_id = labels.store_id
    left join weather as own on days.business_date = own.date and days.store_id = own.store_id
    left join weather as everywhere on days.business_date = everywhere.date and everywhere.store_id is null;
