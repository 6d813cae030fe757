-- One row per store day, product and policy, with or without stock: its decisions and the prices met. Assertions that
-- count decisions look at these, so that decisions are read once.
create or replace temp table decided as
select
    business_date,
    store_id,
    sku,
    policy,
    (inventory_level is distinct from 0) as is_met,
    count(*) as count_visits,
    count(*) filter (where purchased) as count_purchased,
    min(price_offered) as lowest_price_eur,
    max(price_offered) as highest_price_eur
from closed_interactions
where list_contains($business_dates, business_date)
group by business_date, store_id, sku, policy, is_met;
