-- What drawn prices had brought at the newest night: of the chain, its weeks, categories and stores.
select
    scope,
    name,
    first,
    business_date as through,
    euros,
    euros_low,
    euros_high,
    share,
    share_low,
    share_high,
    n_held,
    n_treated
from earned
where business_date = (select max(business_date) from earned)
order by scope, name
