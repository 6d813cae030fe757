-- One row per business date and budget group of the twin's shoppers.
create or replace view budget_groups as
with labelled as (
    select
        business_date,
        price_offered,
        purchased,
        budget_group_of(budget_multiplier) as budget_group
    from interactions
    where budget_multiplier is not null
)

select
    business_date,
    budget_group,
    count(*) as count_visits,
    count(*) filter (where purchased) as count_units,
    coalesce(sum(price_offered) filter (where purchased), 0) as revenue_eur
from labelled
group by business_date, budget_group;

comment on view budget_groups is 'one business date and budget group of the shoppers of the twin';
comment on column budget_groups.budget_group is 'frugal (multiplier below 0.9), average or wealthy (above 1.1)';
comment on column budget_groups.count_visits is 'shoppers who considered a product';
comment on column budget_groups.count_units is 'units sold of what the shoppers came for';
comment on column budget_groups.revenue_eur is 'revenue, EUR';
