-- What sold at the owner's regular price before a product was drawn: one row for a store, product and business date. A
-- day on offer, with another price beside it, or without stock says nothing of it. The day on which a product is first
-- heard of says nothing of how much it sells, for without a sale it would not have been.
with sales as (
    select
        s.*,
        o.shelf_price,
        o.drawn_from - to_days($days) as looked_from,
        min(s.business_date) over (partition by s.store_id, s.sku) as first_heard_of
    from unit_sales as s
    inner join owner_prices as o on s.store_id = o.store_id and s.sku = o.sku
    where s.business_date < o.drawn_from and s.business_date >= o.drawn_from - to_days($days)
),

offers as (
    select
        store_id,
        sku,
        business_date
    from promotions
    where promotion or display or leaflet or event <> ''
    union
    select
        store_id,
        sku,
        business_date
    from exposures
    where not_ours = 'offer'
)

select
    s.business_date,
    s.store_id,
    s.sku,
    s.shelf_price,
    sum(s.units) as units
from sales as s
anti join offers as o on s.store_id = o.store_id and s.sku = o.sku and s.business_date = o.business_date
where s.business_date > s.first_heard_of or s.business_date = s.looked_from
group by s.business_date, s.store_id, s.sku, s.shelf_price
having
    bool_and(abs(s.price - s.shelf_price) < $same)
    and not bool_or(s.is_sudden_zero)
    and not bool_or(coalesce(s.stock = 0, false))
order by s.business_date, s.store_id, s.sku
