-- One row per product, store, business date and price of some partitions of unit sales, with the units sold.
select
    sku,
    store_id,
    business_date,
    price,
    1::bigint as count_seen,
    sum(units) as count_bought
from read_parquet($files, hive_partitioning = true, hive_types = {'business_date': date})
group by sku, store_id, business_date, price;
