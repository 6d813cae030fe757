-- The columns are those of the table's contract.

-- All rows of a table by day, with the business date that is the name of their folder.
create or replace macro lake_by_day(files) as table
    select * -- noqa: AM04
    from read_parquet(files, hive_partitioning = true, hive_types = {'business_date': date});

-- All rows of a table by key.
create or replace macro lake_by_key(files) as table
    select * -- noqa: AM04
    from read_parquet(files);
