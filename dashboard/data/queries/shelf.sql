-- One row per product, the cheapest first.
select
    sku,
    product_name,
    category,
    icon,
    base_price,
    unit_cost,
    floor_price,
    ceiling_price,
    par_stock
from products
order by base_price asc, sku asc;
