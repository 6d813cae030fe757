-- One row per change of champion: who, when and why, and what the version earned while it priced. What
-- a version earned on a date goes to the newest change that made it champion by then.
create or replace view champion_history as
with earned as (
    select
        business_date,
        model_version,
        count(distinct store_id) as count_store_days,
        coalesce(sum(price_offered) filter (where purchased), 0) as revenue_eur
    from visits_and_substitutions
    where model_version is not null
    group by business_date, model_version
),

assigned as (
    select
        earned.business_date,
        earned.count_store_days,
        earned.revenue_eur,
        max(champions.change) as change
    from earned
    inner join champions
        on earned.model_version = champions.version and earned.business_date >= champions.prices_from
    group by earned.business_date, earned.model_version, earned.count_store_days, earned.revenue_eur
),

totals as (
    select
        change,
        max(business_date) as priced_through,
        sum(count_store_days)::bigint as count_store_days,
        sum(revenue_eur) as revenue_eur
    from assigned
    group by change
)

select
    champions.change,
    champions.version,
    champions.previous,
    champions.action,
    champions.decided_by,
    champions.decided_at,
    champions.reason,
    champions.prices_from,
    totals.priced_through,
    coalesce(totals.count_store_days, 0) as count_store_days,
    coalesce(totals.revenue_eur, 0) as revenue_eur
from champions
left join totals on champions.change = totals.change;

comment on view champion_history is 'one change of champion, with what the version earned while it priced';
comment on column champion_history.priced_through is 'last business date that the version priced';
comment on column champion_history.count_store_days is 'store days that it priced';
comment on column champion_history.revenue_eur is 'revenue of them, EUR';
comment on column champion_history.version is 'registered model version that is champion from now on';
comment on column champion_history.decided_at is 'when it was decided, UTC';
comment on column champion_history.reason is 'why, in a sentence';
comment on column champion_history.change is 'number of the change, from 1';
