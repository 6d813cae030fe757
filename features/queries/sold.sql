-- The rows of one partition (the view `rows_sold`), with the column that partitions of earlier days lack.
create or replace view sold as
select * from rows_sold -- noqa: AM04
union all by name
select null::double as sticker_eur
where false;
