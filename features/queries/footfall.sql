-- One row per product and tick: its visits over some days. Who met an empty shelf came all the same and counts.
select
    sku,
    tick,
    sum(count_visits)::bigint as count_visits
from visits
where business_date between $first and $last
group by sku, tick;
