create or replace view replaced_price_book as
select *
from
    read_parquet(
        'lake/replaced_price_book/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date}
    );
