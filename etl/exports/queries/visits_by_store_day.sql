-- One row per product, store, business date and price of some partitions of visits: how many saw it, and bought.
select
    sku,
    store_id,
    business_date,
    price_offered as price,
    count(*) as count_seen,
    (count(*) filter (where purchased))::double as count_bought
from read_parquet($files, hive_partitioning = true, hive_types = {'business_date': date})
group by sku, store_id, business_date, price_offered;
