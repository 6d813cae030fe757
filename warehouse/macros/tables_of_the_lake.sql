-- The columns are those of the table's contract.

-- All rows of a table by day, with the business date that is the name of their folder. Files are read by name, and a
-- column that some lack is null there, when the table has gained columns: that opens every file, so no other is.
create or replace macro lake_by_day(files, has_gained_columns := false) as table
    select * -- noqa: AM04
    from
        read_parquet(
            files,
            hive_partitioning = true,
            hive_types = {'business_date': date},
            union_by_name = has_gained_columns
        );

-- All rows of a table by key; columns that it has gained are as above.
create or replace macro lake_by_key(files, has_gained_columns := false) as table
    select * -- noqa: AM04
    from read_parquet(files, union_by_name = has_gained_columns);

-- The same tables where the variable lake_files names the files of each table, as in a lake that is not a plain folder.
create or replace macro lake_by_day_in(table_name, has_gained_columns := false) as table
    select * -- noqa: AM04
    from
        read_parquet(
            getvariable('lake_files')[table_name],
            hive_partitioning = true,
            hive_types = {'business_date': date},
            union_by_name = has_gained_columns
        );

create or replace macro lake_by_key_in(table_name, has_gained_columns := false) as table
    select * -- noqa: AM04
    from read_parquet(getvariable('lake_files')[table_name], union_by_name = has_gained_columns);
