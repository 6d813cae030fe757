-- One row per business date that is over, store and product whose stock lives over days: what became of its units.
create or replace view daily_waste as
select
    business_date,
    store_id,
    sku,
    sum(units_delivered)::bigint as units_delivered,
    sum(units_sold)::bigint as units_sold,
    sum(units_spoiled)::bigint as units_spoiled,
    sum(units_adjusted)::bigint as units_adjusted,
    sum(units_kept)::bigint as units_kept,
    sum(waste_eur) as waste_eur,
    sum(holding_eur) as holding_eur,
    sum(units_spoiled) / nullif(sum(units_sold) + sum(units_spoiled), 0) as share_wasted,
    bool_or(is_estimated) as is_estimated
from stock_movements
group by business_date, store_id, sku;

comment on view daily_waste is 'one business date, store and product whose stock lives over days';
comment on column daily_waste.units_delivered is 'units delivered';
comment on column daily_waste.units_sold is 'units sold';
comment on column daily_waste.units_spoiled is 'units thrown away';
comment on column daily_waste.units_adjusted is 'units found (above 0) or missing (below 0) in a count; 0 in the twin';
comment on column daily_waste.units_kept is 'units on the shelf after closing';
comment on column daily_waste.waste_eur is 'cost of the units thrown away, and of their disposal, EUR';
comment on column daily_waste.holding_eur is 'cost of keeping the others overnight, EUR';
comment on column daily_waste.share_wasted is
'units thrown away over units sold or thrown away; null where there were none';
comment on column daily_waste.is_estimated is
'whether it is estimated how long some of the units keep, for an outside store did not tell it; null in the twin';
