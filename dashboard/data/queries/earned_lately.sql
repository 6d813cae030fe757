-- What drawn prices brought over the newest weeks, or other slots, that were over at the newest night.
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
    cast(n.name as date) as first,
    (select max(s.through) from slots as s where s.through <= n.business_date) as through,
    n.euros,
    n.euros_low,
    n.euros_high,
    n.share,
    n.n_held
from newest as n
where n.scope = 'lately'
