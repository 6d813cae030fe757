create or replace view replaced_demand_curves as
select *
from
    read_parquet(
        'lake/replaced_demand_curves/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date}
    );

comment on view replaced_demand_curves is 'one candidate price of one product, of curves that others took the place of';
