-- Sales of outside stores that are never learned from, by reason: how many units, and on which date last.
select
    not_ours,
    sum(units) as units,
    count(*) as count_spans,
    max(business_date) as newest_date
from exposures
where not_ours is not null
group by not_ours
order by units desc, not_ours asc;
