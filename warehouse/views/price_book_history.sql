-- By name: books made before a column came lack it.
create or replace view price_book_history as
select *
from
    read_parquet(
        'lake/price_book/*/*.parquet',
        hive_partitioning = true,
        hive_types = {'business_date': date},
        union_by_name = true
    );

comment on view price_book_history is
'one product at one stock level with one number of ticks left, for each business date';
