-- One row per sticker of a store: those that stood on a date, with what became of their units, and those to print for
-- the date after, where that has not opened.
with stood as (
    select
        business_date,
        sku,
        units_marked as count_units,
        price_eur,
        sticker_eur,
        expected_saving_eur,
        units_sold as count_sold,
        units_spoiled as count_spoiled,
        brought_eur
    from daily_markdowns
    where store_id = $store and business_date = $date
),

to_print as (
    select
        business_date,
        sku,
        units as count_units,
        price as price_eur,
        sticker_eur,
        expected_saving_eur,
        null::bigint as count_sold,
        null::bigint as count_spoiled,
        null::double as brought_eur
    from markdowns
    where
        store_id = $store
        and business_date = ($date + interval 1 day)::date
        and not exists (from repricings where business_date = ($date + interval 1 day)::date and store_id = $store)
),

stickers as (
    select * from stood
    union all
    select * from to_print
)

select
    stickers.business_date,
    products.product_name,
    stickers.count_units,
    stickers.price_eur,
    stickers.sticker_eur,
    stickers.expected_saving_eur,
    stickers.count_sold,
    stickers.count_spoiled,
    stickers.brought_eur
from stickers
inner join products on stickers.sku = products.sku
order by stickers.business_date desc, stickers.expected_saving_eur desc;
