-- What other files sold of the pairs of this one; `sold` has their rows.
select
    pairs.pair,
    coalesce(sold.hour, -1)::tinyint as hour,
    sold.price,
    sold.units,
    sold.returned_units,
    sold.traffic,
    sold.stock,
    sold.is_sudden_zero as is_sudden
from sold
inner join pairs on sold.store_id::varchar = pairs.store_id and sold.sku::varchar = pairs.sku
order by pairs.pair, hour, sold.price;
