-- One row: whether it was ever noted which version the tables of a service are of.
select to_regclass('prefect.shelfprice_migrations') is not null as is_noted
