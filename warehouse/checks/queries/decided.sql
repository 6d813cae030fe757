-- One row per store day, product and policy, with or without stock: its decisions, the prices met, and how many are
-- marked as purchased where the outcome says otherwise. Assertions look at these, so that decisions are read once.
create or replace temp table decided as
select
    business_date,
    store_id,
    sku,
    policy,
    (inventory_level is distinct from 0) as is_met,
    count(*) as count_visits,
    count(*) filter (where purchased) as count_purchased,
    count(*) filter (where purchased <> (outcome = 'bought')) as count_contradicting,
    count(*) filter (where price_offered < sticker_eur) as count_below_sticker,
    min(price_offered) as lowest_price_eur,
    max(price_offered) as highest_price_eur,
    min(sticker_eur) as lowest_sticker_eur,
    max(sticker_eur) as highest_sticker_eur
from closed_interactions
where list_contains($business_dates, business_date)
group by business_date, store_id, sku, policy, is_met;
