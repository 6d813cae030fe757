-- The newest one; earlier ones are in demand_curves_history.
create or replace view demand_curves as
select *
from demand_curves_history
where business_date = (select max(business_date) from demand_curves_history);

comment on view demand_curves is 'one candidate price of one product, as the champion sees it';
