-- Counting visits loses and invents nothing. Rows = failure. A date on which some batch has decisions and no counts, or
-- counts of decisions that were damaged and set aside, is left out: who reads counts asks for both.
with incomplete as (
    select unnest($dates_without_counts) as business_date
),

in_decisions as (
    select
        business_date,
        sku,
        sum(count_visits) as count_visits,
        coalesce(sum(count_visits) filter (where is_met), 0) as count_met,
        coalesce(sum(count_purchased) filter (where is_met), 0) as count_bought,
        coalesce(sum(count_visits) filter (where is_external(policy)), 0) as count_external
    from decided
    group by business_date, sku
    union all
    select
        business_date,
        null as sku,
        sum(count_visits) as count_visits,
        count(distinct store_id) as count_met,
        0 as count_bought,
        0 as count_external
    from decided
    group by business_date
    union all
    select
        business_date,
        'by hour: ' || sku as sku,
        sum(count_visits) as count_visits,
        sum(count_visits) as count_met,
        sum(count_purchased) as count_bought,
        coalesce(sum(count_visits) filter (where policy = 'external'), 0) as count_external
    from decided
    where is_met and policy <> 'owner'
    group by business_date, sku
),

in_counts as (
    select
        business_date,
        sku,
        sum(count_visits) as count_visits,
        sum(count_met) as count_met,
        sum(count_bought) as count_bought,
        coalesce(sum(count_visits) filter (where is_external), 0) as count_external
    from visit_counts
    where list_contains($business_dates, business_date)
    group by business_date, sku
    union all
    select
        business_date,
        null as sku,
        sum(count_visits) as count_visits,
        count(distinct store_id) as count_met,
        0 as count_bought,
        0 as count_external
    from store_visits
    where list_contains($business_dates, business_date)
    group by business_date
    union all
    select
        business_date,
        'by hour: ' || sku as sku,
        sum(count_met) as count_visits,
        sum(count_met) as count_met,
        sum(count_bought) as count_bought,
        coalesce(sum(count_met) filter (where is_external), 0) as count_external
    from context_counts
    where list_contains($business_dates, business_date)
    group by business_date, sku
)

select
    coalesce(in_decisions.business_date, in_counts.business_date) as business_date,
    coalesce(in_decisions.sku, in_counts.sku, 'all stores') as sku,
    in_decisions.count_visits as count_in_decisions,
    in_counts.count_visits as count_in_counts
from in_decisions
full join in_counts
    on
        in_decisions.business_date = in_counts.business_date
        and in_decisions.sku is not distinct from in_counts.sku
where
    coalesce(in_decisions.business_date, in_counts.business_date) not in (select business_date from incomplete)
    and (
        in_decisions.count_visits is distinct from in_counts.count_visits
        or in_decisions.count_met is distinct from in_counts.count_met
        or in_decisions.count_bought is distinct from in_counts.count_bought
        or in_decisions.count_external is distinct from in_counts.count_external
    );
