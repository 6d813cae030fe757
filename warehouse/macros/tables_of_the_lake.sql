-- The columns are those of the table's contract.

-- All rows of a table by day, with the business date that is the name of their folder.
create or replace macro lake_by_day(files) as table
    select * -- noqa: AM04
    from read_parquet(files, hive_partitioning = true, hive_types = {'business_date': date});

-- The same where some files are older than a column, which is null in them; all files are opened to see it.
create or replace macro lake_by_day_and_name(files) as table
    select * -- noqa: AM04
    from
        read_parquet(
            files, hive_partitioning = true, hive_types = {'business_date': date}, union_by_name = true
        );

-- All rows of a table by key.
create or replace macro lake_by_key(files) as table
    select * -- noqa: AM04
    from read_parquet(files);
