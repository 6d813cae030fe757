-- One row: whether it was ever noted which version the tables of a service are of.
select to_regclass('shelfprice.migrations') is not null as is_noted
