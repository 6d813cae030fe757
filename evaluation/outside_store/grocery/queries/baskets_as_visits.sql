-- One row per receipt and product on the shelf, as if every shopper with a receipt had looked at all of them. Who left
-- without a receipt is not seen. A product's price is what most paid for it that day, else the last known list price.
with lines as (
    select
        *,
        cast(timestamp as date) as business_date
    from read_csv($receipts)
),

products as (
    select
        store,
        sku,
        any_value(product_name) as product_name,
        any_value(category) as category
    from lines
    group by store, sku
),

days as (select distinct business_date from lines),

-- A whole receipt that the till posted twice has the same number, so it counts once.
baskets as (
    select
        store,
        receipt_id,
        min(timestamp) as seen_at,
        min(business_date) as business_date
    from lines
    where quantity > 0
    group by store, receipt_id
),

bought as (
    select
        store,
        receipt_id,
        sku
    from lines
    group by store, receipt_id, sku
    having sum(quantity) > 0
),

paid as (
    select
        store,
        sku,
        business_date,
        mode(unit_price) as price,
        mode(regular_price) as regular_price,
        max(promotion) as promotion,
        max(unit_cost) as unit_cost
    from lines
    where quantity > 0
    group by store, sku, business_date
),

shelf as (
    select
        products.store,
        products.sku,
        products.product_name,
        products.category,
        days.business_date,
        paid.price,
        paid.promotion,
        last_value(paid.regular_price ignore nulls) over until_then as regular_price,
        last_value(paid.unit_cost ignore nulls) over until_then as unit_cost
    from products
    cross join days
    left join paid
        on
            products.store = paid.store
            and products.sku = paid.sku
            and days.business_date = paid.business_date
    window until_then as (partition by products.store, products.sku order by days.business_date)
)

select
    shelf.store,
    baskets.receipt_id as shopper,
    baskets.seen_at as timestamp,
    shelf.sku,
    shelf.product_name,
    shelf.category,
    coalesce(shelf.price, shelf.regular_price) as unit_price,
    cast(bought.sku is not null as integer) as purchased,
    shelf.promotion,
    shelf.regular_price,
    shelf.unit_cost
from baskets
inner join shelf
    on
        baskets.store = shelf.store
        and baskets.business_date = shelf.business_date
left join bought
    on
        baskets.store = bought.store
        and baskets.receipt_id = bought.receipt_id
        and shelf.sku = bought.sku
where shelf.regular_price is not null
order by baskets.seen_at, baskets.receipt_id, shelf.sku;
