-- One row per product: the price that half of the visits, or of the store days, had or a lower one.
with ordered as (
    select
        sku,
        price,
        sum(count_seen) over (partition by sku order by price) as count_up_to,
        sum(count_seen) over (partition by sku) as count_all
    from store_days
)

select
    sku,
    min(price) as median_price_eur
from ordered
where 2 * count_up_to >= count_all
group by sku
order by sku;
