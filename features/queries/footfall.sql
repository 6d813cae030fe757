-- One row per product and tick: its visits over some days. Who met an empty shelf came all the same and counts.
select
    sku,
    tick,
    count(*) as count_visits
from closed_interactions
where business_date between $first and $last
group by sku, tick;
