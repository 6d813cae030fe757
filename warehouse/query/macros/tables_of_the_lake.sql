-- The columns are those of the table's contract.

-- All rows of a table by day, with the business date that is the name of their folder.
create or replace macro lake_by_day(files) as table
    select * -- noqa: AM04
    from read_parquet(files, hive_partitioning = true, hive_types = {'business_date': date});

-- All rows of a table by key.
create or replace macro lake_by_key(files) as table
    select * from read_parquet(files); -- noqa: AM04

-- The same tables where the variable lake_files names the files of each table, as in a lake that is not a plain folder.
create or replace macro lake_by_day_in(table_name) as table
    select * -- noqa: AM04
    from
        read_parquet(
            getvariable('lake_files')[table_name], hive_partitioning = true, hive_types = {'business_date': date}
        );

create or replace macro lake_by_key_in(table_name) as table
    select * from read_parquet(getvariable('lake_files')[table_name]); -- noqa: AM04
