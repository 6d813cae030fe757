-- One row per store that has sold here: the tick that it sells next, as the newest day that it sold tells it.
create or replace view next_ticks as
with sold as (
    select
        unnest(from_json(stores, '["varchar"]')) as store_id,
        business_date,
        since,
        catalog
    from days_in_force
),

newest as (
    select
        store_id,
        business_date,
        catalog
    from sold
    qualify row_number() over (partition by store_id order by business_date desc, since desc) = 1
),

being_sold as (
    select
        store_id,
        business_date,
        max(tick) + 1 as next_tick
    from live_interactions
    group by store_id, business_date
),

timed as (
    select
        newest.store_id,
        newest.business_date,
        being_sold.next_tick,
        (catalogs.store ->> '$.opening.opens')::interval as opens,
        (catalogs.store ->> '$.opening.closes')::interval as closes,
        to_minutes((catalogs.store ->> '$.opening.tick_minutes')::int) as tick,
        coalesce(stores.time_zone, 'UTC') as time_zone
    from newest
    left join being_sold
        on newest.store_id = being_sold.store_id and newest.business_date = being_sold.business_date
    inner join catalogs on newest.catalog = catalogs.fingerprint
    left join stores on newest.store_id = stores.store_id
),

placed as (
    select
        *,
        coalesce(opens + next_tick * tick < closes, false) as is_selling
    from timed
)

select
    store_id,
    case when is_selling then business_date else business_date + 1 end as business_date,
    is_selling,
    (
        case
            when is_selling then business_date + opens + next_tick * tick
            else business_date + 1 + opens
        end
    ) at time zone time_zone as next_tick_at
from placed;

comment on view next_ticks is 'one store that sold here, and the tick that it sells next';
comment on column next_ticks.business_date is 'date of that tick; closed days of the catalog are not left out';
comment on column next_ticks.is_selling is 'whether the store has sold a part of that date';
comment on column next_ticks.next_tick_at is 'when that tick begins, UTC';
