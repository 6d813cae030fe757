-- One row per business date, product and candidate price: the demand curves of the newest $n_dates dates.
with dated as (
    select
        business_date,
        model_version,
        sku,
        price,
        p_sale,
        dense_rank() over (order by business_date desc) as age
    from demand_curves_history
)

select
    business_date,
    model_version,
    sku,
    price,
    p_sale
from dated
where age <= $n_dates
order by business_date, sku, price;
