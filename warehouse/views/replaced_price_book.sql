-- By name: books made before a column came lack it.
create or replace view replaced_price_book as
select *
from
    read_parquet(
        'lake/replaced_price_book/*/*.parquet',
        hive_partitioning = true,
        hive_types = {'business_date': date},
        union_by_name = true
    );

comment on view replaced_price_book is
'one product at one stock level with one number of ticks left, of a book that another took the place of';
