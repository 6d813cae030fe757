-- What sold of drawn products on some dates at prices that were not ours: one row for a store, its product with most of
-- such units first. `units` are of all such products of the store, `sold` what these products sold in all.
with dates as (
    select distinct business_date from price_draws
),

draws as (
    select
        business_date as first_date,
        lead(business_date) over (order by business_date) as next_date
    from dates
),

sales as (
    select
        e.store_id,
        e.sku,
        e.business_date,
        e.units,
        e.price,
        e.charged_price,
        coalesce(e.not_ours in ('another price', 'no price released'), false) as is_other
    from exposures as e
    inner join draws as s
        on
            e.business_date >= s.first_date
            and e.business_date < coalesce(s.next_date, e.business_date + interval 1 day)
    inner join price_draws as d on s.first_date = d.business_date and e.store_id = d.store_id and e.sku = d.sku
    where
        e.business_date between $first and $last
        and coalesce(e.not_ours, '') not in ('voided', 'offer')
        and e.units > 0
),

products as (
    select
        store_id,
        sku,
        sum(units) as sold,
        sum(units) filter (where is_other) as units,
        arg_max(charged_price, business_date) filter (where is_other) as charged,
        arg_max(price, business_date) filter (where is_other and price is not null) as ours
    from sales
    group by store_id, sku
)

select
    store_id,
    sum(units) as units,
    sum(sold) as sold,
    count(*) filter (where units > 0) as count_products,
    arg_max(sku, units) as sku,
    arg_max(charged, units) as charged,
    arg_max(coalesce(ours, -1), units) as ours
from products
group by store_id
having sum(units) > 0 and sum(units) >= $share * sum(sold)
order by store_id
