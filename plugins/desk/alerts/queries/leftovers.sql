-- Which share of the stock of a closed day was left at closing: one row per store that opened with any and sold.
with opened as (
    select
        store_id,
        sum(inventory_level)::double as units
    from closed_repricings
    where tick = 0
    group by store_id
),

bought as (
    select store_id from closed_interactions
    where purchased
    union all
    select store_id from substitutions
),

sold as (
    select
        store_id,
        count(*) as units
    from bought
    group by store_id
),

open_stores as (
    select distinct store_id from closed_interactions
)

select
    opened.store_id,
    1 - coalesce(sold.units, 0) / opened.units as share_left
from opened
inner join open_stores on opened.store_id = open_stores.store_id
left join sold on opened.store_id = sold.store_id
where opened.units > 0
order by opened.store_id
