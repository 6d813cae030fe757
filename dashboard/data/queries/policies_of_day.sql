-- One row per policy that priced decisions of one date, and whether the prices were a retailer's own.
select distinct
    policy,
    is_external(policy) as is_own
from interactions
where business_date = $date
order by policy;
