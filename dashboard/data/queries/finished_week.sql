-- What drawn prices brought in the newest week, or other slot, that was over at the newest night; and the chain so far.
with newest as (
    select *
    from earned
    where business_date = (select max(business_date) from earned)
),

slots as (
    select
        min(business_date) as first,
        through
    from price_draws
    group by through
)

select
    n.scope,
    s.first,
    s.through,
    n.euros,
    n.euros_low,
    n.euros_high,
    n.share,
    n.share_low,
    n.share_high,
    n.n_held,
    n.n_treated
from newest as n
inner join slots as s on n.name = cast(s.first as varchar)
where n.scope = 'week' and s.through <= n.business_date
order by s.first desc
limit 1
