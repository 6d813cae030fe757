-- A sticker is stuck once, at opening, below the price on the label, and nobody is offered a unit for less. Rows =
-- failure.
with stuck as (
    select
        business_date,
        store_id,
        sku,
        sticker_eur
    from closed_repricings
    where list_contains($business_dates, business_date) and sticker_eur is not null
),

broken as (
    select
        business_date,
        store_id,
        sku,
        sticker_eur,
        new_price as price
    from closed_repricings
    where
        list_contains($business_dates, business_date)
        and sticker_eur is not null
        and (tick <> 0 or sticker_eur >= new_price)
    union all
    select
        met.business_date,
        met.store_id,
        met.sku,
        met.lowest_sticker_eur as sticker_eur,
        met.lowest_price_eur as price
    from decided as met
    left join stuck
        on met.business_date = stuck.business_date and met.store_id = stuck.store_id and met.sku = stuck.sku
    where
        met.lowest_sticker_eur is not null
        and (
            met.lowest_sticker_eur is distinct from stuck.sticker_eur
            or met.highest_sticker_eur is distinct from stuck.sticker_eur
            or met.count_below_sticker > 0
        )
)

select
    business_date,
    store_id,
    sku,
    sticker_eur,
    price
from broken;
